/** Compares the PyTorch backend with onnxruntime, and tests its error messages. Skipped without PyTorch. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { encodeModel } from "../../tasks/study/nn/onnx/proto.ts";
import { plainInferenceGraph } from "../../tasks/study/nn/plain-graph.ts";
import { networkOf, openNetwork } from "../../tasks/study/nn/network.ts";
import { initialise } from "../../tasks/study/nn/parameters.ts";
import { pyTorch } from "../../tasks/study/nn/pytorch/process.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../tasks/study/nn/trainer.ts";
import { predictVolume } from "../../tasks/study/inference/predict-volume.ts";
import { createRandom } from "../../tasks/study/random.ts";
import { testFolder } from "../helpers/folder.ts";
import { python } from "../helpers/torch.ts";
import { largestDifference, relativeL2 } from "./golden.ts";
import { smallNetwork } from "./small-network.ts";

afterEach(() => vi.unstubAllEnvs());

const spec = smallNetwork([4, 6, 8], { heads: 1, residual: true });
const patch = [4, 8, 8] as const;
const options: TrainerOptions = { spec, batch: 2, patch, weights: initialise(spec, "start") };

function batchOf(step: number) {
  const random = createRandom(`batch ${step}`);
  const images = Float32Array.from({ length: 512 }, () => random.normal());
  return { images, labels: Uint8Array.from(images, (value) => (value > 0.5 ? 2 : Number(value > -0.5))) };
}

async function steps(trainer: Trainer, count: number): Promise<number[]> {
  const losses = [];
  for (let i = 0; i < count; i++) {
    const { images, labels } = batchOf(trainer.steps());
    losses.push((await trainer.prepare(images, labels)(1e-3)).loss);
  }
  return losses;
}

async function trained(more: Partial<TrainerOptions>, count: number) {
  const trainer = await createTrainer({ ...options, ...more });
  const losses = await steps(trainer, count);
  const state = await trainer.state();
  await trainer.dispose();
  return { losses, ...state, step: trainer.steps() };
}

const difference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.skipIf(python === null)("PyTorch", () => {
  // AdamW moves a weight by up to the learning rate where its gradient is little more than rounding. So we compare the
  // weights together, and not one by one.
  test("20 steps from one seed: losses and weights of the backends are within 1e-4", async () => {
    const [onnx, torch] = [await trained({ backend: "onnx" }, 20), await trained({ backend: "torch" }, 20)];
    const [losses, weights] = [
      difference(onnx.losses, torch.losses),
      relativeL2(torch.weights, onnx.weights),
    ];
    console.info(`20 steps: losses ${losses.toExponential(1)}, weights ${weights.toExponential(1)}`);
    expect(losses).toBeLessThan(1e-4);
    expect(weights).toBeLessThan(1e-4);
  });

  test.each([
    ["onnx", "torch"],
    ["torch", "onnx"],
  ] as const)("what %s began, %s continues within 1e-4", async (first, second) => {
    const whole = await trained({ backend: first }, 10);
    const half = await trained({ backend: first }, 5);
    const rest = await trained({ ...half, backend: second }, 5);
    expect(difference(rest.losses, whole.losses.slice(5))).toBeLessThan(1e-4);
    expect(relativeL2(rest.weights, whole.weights)).toBeLessThan(1e-4);
  });

  test("continued after five steps, it has the bytes of an uninterrupted training", async () => {
    const whole = await trained({ backend: "torch" }, 10);
    const half = await trained({ backend: "torch" }, 5);
    const rest = await trained({ ...half, backend: "torch" }, 5);
    expect(rest).toEqual({ ...whole, losses: whole.losses.slice(5) });
  });

  test("a batch that is prepared during a step does not change it", async () => {
    const trainer = await createTrainer({ ...options, backend: "torch" });
    const [a, b] = [batchOf(0), batchOf(1)];
    const first = trainer.prepare(a.images, a.labels)(1e-3);
    const next = trainer.prepare(b.images, b.labels);
    const losses = [(await first).loss, (await next(1e-3)).loss];
    await trainer.dispose();
    expect(losses).toEqual((await trained({ backend: "torch" }, 2)).losses);
  });

  test("amp trains in lower precision: near fp32, and not equal to it", async () => {
    const exact = await trained({ backend: "torch" }, 5);
    const amp = await trained({ backend: "torch", precision: "amp" }, 5);
    expect(difference(amp.losses, exact.losses)).toBeLessThan(0.02);
    expect(amp.losses).not.toEqual(exact.losses);
  });

  test("a label without an output channel is refused before the step", async () => {
    const trainer = await createTrainer({ ...options, backend: "torch" });
    const { images, labels } = batchOf(0);
    labels[7] = 3;
    expect(() => trainer.prepare(images, labels)).toThrow("label 3 has no output channel");
    await trainer.dispose();
  });

  test("volumes smaller than the patch, mirroring and several networks: as onnxruntime, within 1e-5", async () => {
    const shape = [3, 11, 19] as const;
    const random = createRandom("volume");
    const image = Float32Array.from({ length: 3 * 11 * 19 }, () => random.normal());
    const heads = async (backend: "onnx" | "torch") => {
      const weights = ["one", "two"].map((seed) => initialise(spec, seed));
      const networks = await Promise.all(
        weights.map((each) => networkOf({ spec, weights: each }, patch, { backend })),
      );
      const shares: number[] = [];
      const progress = (share: number) => shares.push(share);
      const settings = { patch, step: 0.5, mirrorAxes: [0, 2], weights: 1 as const, progress };
      const ports = { input: "image", output: "logits" };
      const result = await predictVolume(networks, ports, image, shape, settings);
      for (const network of networks) await network.close();
      expect(shares.at(-1)).toBe(1);
      return new Map(result.map((head, i) => [`${i}`, head]));
    };
    expect(largestDifference(await heads("torch"), await heads("onnx"))).toBeLessThan(1e-5);
  });

  test("another version than the params say is refused, with the line to write", async () => {
    const { torch } = (await pyTorch(false)).platform;
    await expect(createTrainer({ ...options, backend: "torch", torch: "9.9" })).rejects.toThrow(
      `PyTorch has version ${torch}, and the params say torch: "9.9"`,
    );
    const [start = ""] = /^\d+\.\d+/.exec(torch) ?? [];
    await (await createTrainer({ ...options, backend: "torch", torch: start })).dispose();
  });

  test("an error of PyTorch is the step's error, and the process goes on", async () => {
    const worker = await pyTorch(false);
    await expect(worker.request("step", { name: "nobody" })).rejects.toThrow("PyTorch: ");
    expect(worker.alive).toBe(true);
  });

  test.runIf(process.platform === "linux")(
    "a process that is killed is an error; the next use starts another",
    async () => {
      const worker = await pyTorch(false);
      const trainer = await createTrainer({ ...options, backend: "torch" });
      const { images, labels } = batchOf(0);
      const step = trainer.prepare(images, labels);
      process.kill(workerPid(), "SIGKILL");
      await expect(step(1e-3)).rejects.toThrow("the process that runs PyTorch ended (SIGKILL");
      expect(worker.alive).toBe(false);
      expect((await trained({ backend: "torch" }, 1)).losses[0]).toBeGreaterThan(0);
    },
  );

  test.runIf(process.platform === "linux")(
    "a kept network is opened again after its process died",
    async () => {
      const file = join(testFolder(), "network.onnx");
      writeFileSync(file, encodeModel(plainInferenceGraph(spec, options.weights)));
      const image = { shape: [1, 1, ...patch], data: batchOf(0).images.slice(0, 256) };
      const run = async () => (await openNetwork(file, { backend: "torch" })).run({ image });
      const before = await run();
      const worker = await pyTorch(false);
      process.kill(workerPid(), "SIGKILL");
      await expect.poll(() => worker.alive).toBe(false);
      expect(await run()).toEqual(before);
    },
  );
});

/** The process that runs PyTorch for this one. */
function workerPid(): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  return Number(
    children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("Runs networks")),
  );
}

test("a Python without PyTorch is named, with two ways out", async () => {
  vi.stubEnv("LQ_PYTHON", "/nonexistent/python");
  await expect(createTrainer({ ...options, backend: "torch" })).rejects.toThrow(
    /^\/nonexistent\/python cannot run PyTorch \(.*\): name one that has it \(environment: \{ python: … \}, or LQ_PYTHON\), or set backend: onnx/,
  );
});

test("auto is onnxruntime without a device, and says why it is with one that PyTorch does not use", async () => {
  const lines: string[] = [];
  const settings = { backend: "auto", device: "auto", log: (line: string) => void lines.push(line) } as const;
  await (await networkOf({ spec, weights: options.weights }, patch, settings)).close();
  expect(lines).toEqual(["loaded a network on cpu, threads: 1"]);
  vi.stubEnv("LQ_PYTHON", "/nonexistent/python");
  await (await networkOf({ spec, weights: options.weights }, patch, { ...settings, devices: ["0"] })).close();
  expect(lines[1]).toMatch(/^onnxruntime and not PyTorch: \/nonexistent\/python cannot run PyTorch/);
});
