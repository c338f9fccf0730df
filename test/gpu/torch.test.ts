/** Compares PyTorch on a real GPU with onnxruntime on the CPU. Skipped with a notice if PyTorch finds no GPU. */
import { describe, expect, test } from "vitest";
import { predictVolume } from "../../tasks/study/inference/predict-volume.ts";
import { networkOf } from "../../tasks/study/nn/network.ts";
import { initialise } from "../../tasks/study/nn/parameters.ts";
import { pyTorch } from "../../tasks/study/nn/pytorch/process.ts";
import { createTrainer, type TrainerOptions } from "../../tasks/study/nn/trainer.ts";
import { createRandom } from "../../tasks/study/random.ts";
import { python } from "../helpers/torch.ts";
import { largestDifference, relativeL2 } from "../nn/golden.ts";
import { smallNetwork } from "../nn/small-network.ts";

const seesGpu = python !== null && (await pyTorch(true)).platform.device === "cuda";
if (!seesGpu) console.warn("skipped: PyTorch sees no GPU");

const spec = smallNetwork([8, 16, 32], { heads: 1, residual: true });
const patch = [8, 16, 16] as const;
const gpu = { backend: "torch", device: "cuda", devices: ["0"] } as const;
const options: TrainerOptions = { spec, batch: 2, patch, weights: initialise(spec, "start") };

async function trained(more: Partial<TrainerOptions>, count: number) {
  const trainer = await createTrainer({ ...options, ...more });
  const losses = [];
  for (let i = 0; i < count; i++) {
    const random = createRandom(`batch ${trainer.steps()}`);
    const images = Float32Array.from({ length: 2 * 8 * 16 * 16 }, () => random.normal());
    const labels = Uint8Array.from(images, (value) => Number(value > -0.5) + Number(value > 0.5));
    losses.push((await trainer.prepare(images, labels)(1e-3)).loss);
  }
  const state = await trainer.state();
  await trainer.dispose();
  return { losses, ...state, step: trainer.steps(), platform: trainer.platform };
}

describe.skipIf(!seesGpu)("PyTorch on a GPU", () => {
  test("20 steps: losses within 1e-4 and weights within 1e-3 of onnxruntime on the CPU", async () => {
    const [cpu, own] = [await trained({}, 20), await trained(gpu, 20)];
    expect(own.platform).toMatchObject({ backend: "torch", device: "cuda" });
    expect(Math.max(...own.losses.map((loss, i) => Math.abs(loss - cpu.losses[i]!)))).toBeLessThan(1e-4);
    expect(relativeL2(own.weights, cpu.weights)).toBeLessThan(1e-3);
  });

  test("fp32 is deterministic: continued after five steps, it has the bytes of an uninterrupted training", async () => {
    const [whole, half] = [await trained(gpu, 10), await trained(gpu, 5)];
    const { weights, moments, step } = half;
    const rest = await trained({ ...gpu, weights, moments, step }, 5);
    expect(rest).toEqual({ ...whole, losses: whole.losses.slice(5) });
  });

  test("amp lowers the loss as fp32 does", async () => {
    const [exact, amp] = [await trained(gpu, 10), await trained({ ...gpu, precision: "amp" }, 10)];
    expect(Math.abs(amp.losses[9]! - exact.losses[9]!)).toBeLessThan(0.02);
  });

  test("a volume: sums from the device within 1e-4 of onnxruntime on the CPU", async () => {
    const shape = [20, 40, 40] as const;
    const random = createRandom("volume");
    const image = Float32Array.from({ length: 20 * 40 * 40 }, () => random.normal());
    const heads = async (backend: typeof gpu | object) => {
      const network = await networkOf({ spec, weights: options.weights }, patch, backend);
      const ports = { input: "image", output: "logits" };
      const found = await predictVolume([network], ports, image, shape, {
        patch,
        step: 0.5,
        mirrorAxes: [0],
      });
      await network.close();
      return new Map(found.map((head, i) => [`${i}`, head]));
    };
    expect(largestDifference(await heads(gpu), await heads({}))).toBeLessThan(1e-4);
  });
});
