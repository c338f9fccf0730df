/** Voxels of an unknown label: the loss and its gradient are those of the other voxels alone. */
import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { diceCrossEntropy, IGNORED, oneHot } from "../../tasks/study/nn/autodiff/loss.ts";
import { createGraph } from "../../tasks/study/nn/onnx/graph.ts";
import { createSession } from "../../tasks/study/nn/session.ts";
import { createRandom } from "../../tasks/study/random.ts";

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
