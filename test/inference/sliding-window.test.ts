import { expect, test } from "vitest";
import { readFileSync } from "node:fs";
import type { Shape } from "../../tasks/study/arrays.ts";
import { slidingWindow } from "../../tasks/study/inference/sliding-window.ts";
import { gaussianWeights, windowStarts } from "../../tasks/study/inference/windows.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";

const models = ["m1", "m2", "m3", "m4"];

interface Expected {
  readonly step: number;
  readonly patch: Shape;
  readonly cases: Record<string, { padded_shape: number[]; steps: number[][] }>;
}

test("windows have the positions of nnU-Net", () => {
  expect(windowStarts(300, 128, 0.5)).toEqual([0, 57, 115, 172]);
  expect(windowStarts(110, 64, 0.5)).toEqual([0, 23, 46]);
  expect(windowStarts(64, 64, 0.5)).toEqual([0]);
  expect(windowStarts(5, 1, 0.5)).toEqual([0, 1, 2, 3, 4]);
  expect(() => windowStarts(10, 64, 0.5)).toThrow("does not hold");
  expect(() => windowStarts(100, 64, 0)).toThrow("step");
});

for (const model of models) {
  const folder = shared(`golden/04_nnunet_v2/${model}`);
  test.skipIf(!folder)(`${model}: starts equal, weights within 1e-5 of nnU-Net's`, async () => {
    const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
    for (const { padded_shape, steps } of Object.values(expected.cases)) {
      const starts = expected.patch.map((p, i) => windowStarts(padded_shape[i + 1]!, p, expected.step));
      expect(starts).toEqual(steps);
    }
    const golden = (await readNpz(`${folder}/gaussian.npz`)).get("float32")!.data;
    const weights = gaussianWeights(expected.patch, 10);
    expect(weights.length).toBe(golden.length);
    let worst = 0;
    weights.forEach((w, i) => (worst = Math.max(worst, Math.abs(w - golden[i]!) / golden[i]!)));
    expect(worst).toBeLessThan(1e-5);
  });
}

/** An image with a different value in each voxel; one axis is shorter than the patch. */
const shape: Shape = [5, 11, 9];
const image = Float32Array.from({ length: 2 * 5 * 11 * 9 }, (_, i) => Math.sin(i) * 100);

test("a network that copies its input returns the image, with padding and with mirroring", async () => {
  for (const mirrorAxes of [[], [0, 2], [0, 1, 2]]) {
    for (const weights of [10, 1, "constant"] as const) {
      const channels = await slidingWindow(image, shape, (p) => Promise.resolve(p.slice()), {
        patch: [6, 4, 4],
        step: 0.5,
        batch: 3,
        mirrorAxes,
        weights,
      });
      expect(channels).toHaveLength(2);
      channels.forEach((channel, c) => {
        channel.forEach((v, i) => expect(v).toBeCloseTo(image[c * channel.length + i]!, 3));
      });
    }
  }
});

test("mirrored predictions are mirrored back: a network whose output depends on the position gives a mean", async () => {
  const patch: Shape = [2, 2, 4];
  const ramp = Float32Array.from({ length: 16 }, (_, i) => i % 4);
  const [channel] = await slidingWindow(new Float32Array(16), patch, () => Promise.resolve(ramp.slice()), {
    patch,
    step: 0.5,
    mirrorAxes: [2],
  });
  channel!.forEach((v) => expect(v).toBeCloseTo(1.5, 6));
});

test("predictions that are not finite are refused", async () => {
  const run = slidingWindow(new Float32Array(8), [2, 2, 2], (p) => Promise.resolve(p.fill(Infinity)), {
    patch: [2, 2, 2],
    step: 1,
  });
  await expect(run).rejects.toThrow("not finite");
});
