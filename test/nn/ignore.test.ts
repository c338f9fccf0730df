/** Voxels of an unknown label: the loss and its gradient are those of the other voxels alone. */
import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { diceCrossEntropy, IGNORED, oneHot } from "../../tasks/study/nn/autodiff/loss.ts";
import { createGraph } from "../../tasks/study/nn/onnx/graph.ts";
import { createSession } from "../../tasks/study/nn/session.ts";
import { initialise } from "../../tasks/study/nn/parameters.ts";
import { createTrainer } from "../../tasks/study/nn/trainer.ts";
import { createRandom } from "../../tasks/study/random.ts";
import { python } from "../helpers/torch.ts";
import { smallNetwork } from "./small-network.ts";

const CLASSES = 3;

async function lossOf(logits: readonly (readonly number[])[], labels: readonly number[], ignore: boolean) {
  const shape = [1, CLASSES, 1, 1, labels.length];
  const g = createGraph("loss");
  const input = g.input("logits", "float32", shape);
  const target = oneHot(g, g.input("labels", "uint8", [1, 1, ...shape.slice(2)]), shape);
  const loss = diceCrossEntropy(g, input, target, shape, { ignore });
  g.output("dice", loss.dice, "float32", []);
  g.output("ce", loss.ce, "float32", []);
  g.output("dice_gradient", loss.diceGradient, "float32", shape);
  g.output("ce_gradient", loss.ceGradient, "float32", shape);
  const session = await createSession(g.finish(), { training: true });
  const results = await session.run({
    logits: new Tensor("float32", Float32Array.from(logits.flat()), shape),
    labels: new Tensor("uint8", Uint8Array.from(labels), [1, 1, ...shape.slice(2)]),
  });
  const values = (name: string) => [...(results[name]!.data as Float32Array)];
  const read = {
    ...{ dice: values("dice"), ce: values("ce") },
    ...{ diceGradient: values("dice_gradient"), ceGradient: values("ce_gradient") },
  };
  await session.release();
  return read;
}

test("ignored voxels add nothing to the loss and get no gradient", async () => {
  const random = createRandom("ignore");
  const logits = Array.from({ length: CLASSES }, () => Array.from({ length: 9 }, () => random.normal()));
  const labels = [0, 1, 2, 1, 0, 2];
  const whole = await lossOf(logits, [...labels, IGNORED, IGNORED, IGNORED], true);
  const part = await lossOf(logits.map((channel) => channel.slice(0, 6)), labels, false); // prettier-ignore
  for (const name of ["dice", "ce"] as const) expect(whole[name][0]).toBeCloseTo(part[name][0]!, 6);
  for (const name of ["diceGradient", "ceGradient"] as const)
    for (let c = 0; c < CLASSES; c++) {
      expect(whole[name].slice(9 * c + 6, 9 * c + 9).map(Math.abs)).toEqual([0, 0, 0]);
      for (let i = 0; i < 6; i++) expect(whole[name][9 * c + i]).toBeCloseTo(part[name][6 * c + i]!, 6);
    }
  // Where all voxels count, the masked loss is the usual one.
  const masked = await lossOf(logits.map((channel) => channel.slice(0, 6)), labels, true); // prettier-ignore
  expect(masked.ce[0]).toBeCloseTo(part.ce[0]!, 6);
});

test.skipIf(python === null)("PyTorch's trainer masks as onnxruntime's does", async () => {
  const spec = smallNetwork([4, 6, 8], { heads: 1 });
  const patch = [4, 8, 8] as const;
  const random = createRandom("masked");
  const images = Float32Array.from({ length: 512 }, () => random.normal());
  const known = Uint8Array.from(images, (value) => (value > 0.5 ? 2 : Number(value > -0.5)));
  // One sample is unknown as a whole, the other in part.
  const labels = known.map((label, i) => (i >= 256 || i % 3 === 0 ? IGNORED : label));
  const losses = async (backend: "onnx" | "torch", given: Uint8Array, ignore: boolean) => {
    const trainer = await createTrainer({
      ...{ spec, batch: 2, patch, backend, weights: initialise(spec, "start") },
      loss: { ignore },
    });
    const found: number[] = [];
    for (let step = 0; step < 5; step++) {
      const { loss, dice, ce } = await trainer.prepare(images, given)(1e-3);
      found.push(loss, dice, ce);
    }
    await trainer.dispose();
    return found;
  };
  const [onnx, torch] = [await losses("onnx", labels, true), await losses("torch", labels, true)];
  torch.forEach((value, i) => expect(Math.abs(value - onnx[i]!)).toBeLessThan(1e-4));
  const whole = await losses("torch", known, false);
  expect(Math.abs(whole[0]! - torch[0]!)).toBeGreaterThan(0.01);
});
