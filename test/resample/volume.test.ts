import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resampleImageByCorners, resampleLabelsByCorners } from "../../tasks/study/resample/corners.ts";
import { resize } from "../../tasks/study/resample/resize.ts";
import { gridAt, resampleImage, resampleLabels } from "../../tasks/study/resample/volume.ts";
import { apply } from "../../tasks/study/volume/affine.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import type { LabelVolume, Volume } from "../../tasks/study/volume/volume.ts";
import { shared } from "../helpers/shared.ts";

/** Eight samples, and their resampling by libraries (scikit-image 0.26, scipy 1.17) as recorded in goldens.json. */
const eight = Float64Array.of(0, 0, 0, 100, 0, 0, 0, 50);
const cornersCubic = [
  0, 3.664867, -7.470599, -6.213857, 65.959422, 93.323163, 18.205625, -12.033364, 0.785323, -3.0344,
  16.046811, 50,
];
const halfPixelCubic = [
  -0.70521, 3.420739, -4.362552, -9.822306, 60.144747, 94.330088, 16.433672, -11.394284, 0.909712, -2.698876,
  24.085275, 54.054024,
];
const cornersLinear = [0, 0, 0, 0, 54.545455, 81.818182, 18.181818, 0, 0, 0, 18.181818, 50];

test.for([
  { alignment: "corners", order: 3, expected: cornersCubic },
  { alignment: "half-pixel", order: 3, expected: halfPixelCubic },
  { alignment: "corners", order: 1, expected: cornersLinear },
] as const)(
  "eight samples become twelve, $alignment, order $order",
  async ({ alignment, order, expected }) => {
    for (const axis of [0, 1, 2] as const) {
      const shape = [1, 1, 1].map((_, i) => (i === axis ? 8 : 1)) as [number, number, number];
      const newShape = shape.map((n) => (n === 8 ? 12 : 1)) as [number, number, number];
      const resized = await resize(
        eight,
        shape,
        newShape,
        { orders: [order, order, order], alignment },
        Float64Array,
      );
      resized.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    }
  },
);

/**
 * A volume with the value `value(position)` at each voxel's world position (mm). Its axes are oblique, one is flipped.
 */
function field(value: (x: number, y: number, z: number) => number): Volume<Float32Array> {
  const size = [12, 16, 10] as const;
  const affine = [-1.6, 1.2, 0, 30, 1.2, 1.6, 0, -20, 0, 0, 2.5, 7, 0, 0, 0, 1];
  const data = new Float32Array(12 * 16 * 10);
  for (let i = 0; i < data.length; i++) {
    const index = [i % 12, Math.floor(i / 12) % 16, Math.floor(i / 192)] as const;
    data[i] = value(...apply(affine, index));
  }
  return { data, size, spacing: [2, 2, 2.5], affine };
}

test("a resampled volume keeps its place in the world", async () => {
  const linear = (x: number, y: number, z: number) => 3 * x - 2 * y + z;
  const volume = field(linear);
  const finer = await resampleImage(volume, [1.5, 1, 2]);
  expect(finer.size).toEqual([16, 32, 12]);
  expect(finer.spacing[2]).toBeCloseTo(25 / 12, 12);
  for (const index of [
    [8, 16, 6],
    [5, 10, 4],
    [10, 22, 7],
  ] as const) {
    const value = finer.data[index[0] + 16 * (index[1] + 32 * index[2])]!;
    expect(value).toBeCloseTo(linear(...apply(finer.affine, index)), 0);
  }
  const outer = (v: Volume) => apply(v.affine, [v.size[0] - 0.5, v.size[1] - 0.5, v.size[2] - 0.5]);
  outer(finer).forEach((mm, axis) => expect(mm).toBeCloseTo(outer(volume)[axis]!, 9));
});

test("a grid never has less than one voxel along an axis", () => {
  expect(
    gridAt(
      field(() => 0),
      [100, 2, 100],
    ).size,
  ).toEqual([1, 16, 1]);
});

test("TotalSegmentator's grid keeps the corner voxels in place and truncates values to whole numbers", async () => {
  const volume = field((x, y, z) => x + y + z + 0.7);
  const resampled = await resampleImageByCorners(volume, [1.5, 1.5, 1.5], 3);
  expect(resampled.size).toEqual([16, 21, 17]);
  const corner = (v: Volume) => apply(v.affine, [v.size[0] - 1, v.size[1] - 1, v.size[2] - 1]);
  corner(resampled).forEach((mm, axis) => expect(mm).toBeCloseTo(corner(volume)[axis]!, 9));
  expect(resampled.data[0]).toBe(Math.trunc(volume.data[0]!));
  expect(resampled.data.at(-1)).toBe(Math.trunc(volume.data.at(-1)!));

  const labels: LabelVolume = {
    ...resampled,
    data: Uint8Array.from(resampled.data, (v) => (v > 20 ? 2 : 1)),
  };
  const back = await resampleLabelsByCorners(labels, volume);
  expect([back.size, back.affine]).toEqual([volume.size, volume.affine]);
  expect([back.data[0], back.data.at(-1)]).toEqual([labels.data[0], labels.data.at(-1)]);
});

interface Recorded {
  new_shape: [number, number, number];
  image: { mean: number; std: number; min: number; max: number };
  samples: [[number, number, number], number][];
}

describe("real CT, as nnU-Net resamples it", () => {
  const goldens = shared("reference/goldens.json");
  const thick = shared("data/ibsi-sts/STS_019_ct.nii.gz");
  const tumour = shared("data/ibsi-sts/STS_019_gtv.nii.gz");
  const slab = shared("data/totalsegmentator/slab3mm_ct.nii.gz");
  const organs = shared("data/totalsegmentator/slab3mm_seg_ts1p5mm.nii.gz");
  const recorded = goldens
    ? (
        JSON.parse(readFileSync(goldens, "utf8")) as {
          nnunet_resampling: { values: Record<string, unknown> };
        }
      ).nnunet_resampling.values
    : {};

  test.skipIf(!goldens || !thick || !tumour)("thick slices", async () => {
    const ct = await readNifti(thick!);
    const mask = await readLabels(tumour!);
    for (const name of ["sts019_aniso_sepz", "sts019_same_z"]) {
      const expected = recorded[name] as Recorded & { target: number[]; seg_foreground: number };
      const spacing = expected.target.toReversed() as [number, number, number];
      expectImage(await resampleImage(ct, spacing), expected);
      const labels = (await resampleLabels(mask, spacing)).data;
      expect(labels.filter((label) => label > 0)).toHaveLength(expected.seg_foreground);
    }
  });

  test.skipIf(!goldens || !slab || !organs)("isotropic voxels", async () => {
    const expected = recorded["ts_sm_iso_3to2"] as Recorded & { seg_counts: Record<string, number> };
    expectImage(await resampleImage(await readNifti(slab!), [2, 2, 2]), expected);
    const labels = await resampleLabels(await readLabels(organs!), [2, 2, 2]);
    for (const [label, count] of Object.entries(expected.seg_counts)) {
      expect(labels.data.filter((l) => l === Number(label))).toHaveLength(count);
    }
  });
});

function expectImage({ data, size }: Volume<Float32Array>, expected: Recorded): void {
  expect([...size].reverse()).toEqual(expected.new_shape);
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  const std = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length);
  const { image } = expected;
  expect(mean).toBeCloseTo(image.mean, 3);
  expect(std).toBeCloseTo(image.std, 3);
  const ascending = data.toSorted();
  expect(ascending[0]).toBeCloseTo(image.min, 3);
  expect(ascending.at(-1)).toBeCloseTo(image.max, 3);
  for (const [[z, y, x], value] of expected.samples) {
    expect(data[x + size[0] * (y + size[1] * z)]).toBeCloseTo(value, 3);
  }
}
