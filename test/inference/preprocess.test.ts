/** Normalisation schemes and the choice of slice-by-slice resampling, on volumes that need no resampling. */
import { expect, test } from "vitest";
import { exportLabels, outputSeparation } from "../../tasks/study/inference/export.ts";
import type { NetworkModel, Normalisation } from "../../tasks/study/inference/model.ts";
import { preprocess, separation } from "../../tasks/study/inference/preprocess.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";

/** A row of 1 × 1 × n voxels of 1 mm. */
function row(values: readonly number[]): Volume {
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  return { data: Float32Array.from(values), size: [values.length, 1, 1], spacing: [1, 1, 1], affine };
}

function model(nnunet: 1 | 2, ...normalisation: Normalisation[]): NetworkModel {
  return {
    nnunet,
    name: "toy",
    channels: normalisation.length,
    reorient: false,
    transpose: [0, 1, 2],
    spacing: [1, 1, 1],
    patch: [1, 1, 4],
    normalisation,
    separateZ: { image: null, output: null },
    output: { kind: "labels", count: 2 },
    labels: { organ: 1 },
    mirrorAxes: [],
    folds: [{ fold: "0", file: "fold_0.onnx" }],
  };
}

const close = (found: Float32Array, expected: readonly number[]) => {
  expect(found).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
};

test.each([
  ["none", { scheme: "none" }, [2, -4, 6], [2, -4, 6]],
  ["0 to 1", { scheme: "to-0-1" }, [2, -4, 6], [0.6, 0, 1]],
  ["0 to 1 of a small range", { scheme: "to-0-1" }, [0.5, 0.25], [1, 0]],
  ["0 to 1 of a constant image", { scheme: "to-0-1" }, [3, 3], [0, 0]],
  ["RGB", { scheme: "rgb-to-0-1" }, [51, 255], [0.2, 1]],
  ["CT", { scheme: "ct", low: -10, high: 10, mean: 2, deviation: 4 }, [-50, 6, 90], [-3, 1, 2]],
  ["z-score", { scheme: "z-score", useMask: false }, [1, 3], [-1, 1]],
] as [string, Normalisation, number[], number[]][])("%s", async (_, scheme, values, expected) => {
  close((await preprocess(model(2, scheme), [row(values)])).data, expected);
});

const masked: Normalisation = { scheme: "z-score", useMask: true };

test("z-score with a mask: the statistics are those of the inside", async () => {
  // A voxel is outside if all channels are 0 there.
  const channels = [row([1, 0, 3]), row([1, 0, 1])];
  close((await preprocess(model(2, masked, { scheme: "none" }), channels)).data, [-1, 0, 1, 1, 0, 1]);
});

test("version 1 resamples first and then sets the outside of the mask to 0", async () => {
  const fine = (nnunet: 1 | 2): NetworkModel => ({ ...model(nnunet, masked), spacing: [1, 1, 0.5] });
  const image = row([5, 0, 0, 0, -7]);
  const [one, two] = [await preprocess(fine(1), [image]), await preprocess(fine(2), [image])];
  expect(one.shape).toEqual([1, 1, 10]);
  // Beside the ends the spline is not 0.
  expect([...one.data.subarray(3, 7)]).toEqual([0, 0, 0, 0]);
  expect(two.data.subarray(3, 7).some((value) => value !== 0)).toBe(true);
});

test("a coarse axis is resampled slice by slice if the spacings ask for it, or the plans say so", () => {
  expect(separation(null, [1, 1, 4], [1, 1, 1])).toBe(2);
  expect(separation(null, [1, 1, 2], [1, 4, 1])).toBe(1);
  expect(separation(null, [1, 1, 2], [1, 1, 1])).toBeNull();
  expect(separation(false, [1, 1, 9], [1, 1, 1])).toBeNull();
  expect(separation(true, [1, 1, 2], [1, 1, 1])).toBe(2);
  // Two equally coarse axes have no slices.
  expect(separation(true, [2, 1, 2], [1, 1, 1])).toBeNull();
});

test("on the way back, version 2 looks at the model's spacing first, version 1 at the image's", () => {
  const from = { spacing: [4, 1, 1], originalSpacing: [1, 1, 4] } as const;
  expect(outputSeparation(model(2, masked), from)).toBe(0);
  expect(outputSeparation(model(1, masked), from)).toBe(2);
});

test("labels come back to the image's voxels, whatever the order of axes", async () => {
  const size = [4, 3, 2] as const;
  const image = { ...row([1]), size, data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 24) + 1) };
  const turned: NetworkModel = { ...model(2, { scheme: "none" }), transpose: [1, 2, 0] };
  const input = await preprocess(turned, [image]);
  expect(input.shape).toEqual([3, 4, 2]);
  const logits = [new Float32Array(24).fill(9.5), input.data];
  const labels = await exportLabels(turned, logits, input, image);
  expect([...labels.data]).toEqual([...image.data].map((value) => Number(value > 9.5)));
});

test("number and grids of the channels are checked", async () => {
  await expect(preprocess(model(2, masked), [row([1]), row([1])])).rejects.toThrow("takes 1 image (channel)");
  const two = model(2, masked, masked);
  await expect(preprocess(two, [row([1, 2]), row([1])])).rejects.toThrow(/channel 1.*size 1×1×1/);
});
