/**
 * Golden set 03: nnU-Net v2's resampling, normalisation and cropping.
 * Tolerances: images and logits in double precision 5e-11; images in single precision, labels, decisions and boxes exact;
 * logits 9e-6 (float16: half a step); normalisation 4.8e-6; statistics 1e-9 relative.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Triple, Shape } from "../../tasks/study/arrays.ts";
import { type ForegroundStatistics, foregroundStatistics } from "../../tasks/study/datasets/statistics.ts";
import { boxShape, cropArray, insideOf, nonZeroBox } from "../../tasks/study/resample/crop.ts";
import { type LabelArray, resampleLabelArray } from "../../tasks/study/resample/labels.ts";
import {
  resampleImageArray,
  resampleLogits,
  separateAxis,
  targetShape,
} from "../../tasks/study/resample/nnunet.ts";
import { normaliseCT, normaliseZScore } from "../../tasks/study/resample/normalise.ts";
import { quantile } from "../../tasks/study/stats/quantile.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";

interface Resampling {
  file: string;
  kind: "data" | "seg" | "probabilities";
  current_spacing: Triple;
  new_spacing: Triple;
  input_shape_czyx: number[];
  output_shape_czyx: number[];
  new_shape_from: "compute_new_shape" | "given";
  do_separate_z: boolean;
  lowres_axis: number | null;
}

interface Expected {
  resampling: Resampling[];
  separate_z_decisions: {
    current_spacing: Triple;
    new_spacing: Triple;
    do_separate_z: boolean;
    axis: number | null;
  }[];
  new_shape: { old_shape: Shape; old_spacing: Triple; new_spacing: Triple; new_shape: Shape }[];
  normalisation: { file: string; scheme: string; intensityproperties: ForegroundStatistics }[];
  statistics: { file: string; expected: ForegroundStatistics; percentiles: Record<string, number> };
  crop_to_nonzero: { file: string; bbox_half_open: [number, number][] };
}

const root = shared("golden/03_resampling/");
const golden: Expected | null = root
  ? (JSON.parse(readFileSync(`${root}expected.json`, "utf8")) as Expected)
  : null;

async function arrays(file: string) {
  const npz = await readNpz(`${root ?? ""}${file}`);
  return (name: string) => npz.get(name)!.data;
}

test.for(golden?.resampling ?? [])("$file", async (entry) => {
  const array = await arrays(entry.file);
  const shape = entry.input_shape_czyx.slice(1) as unknown as Shape;
  const newShape = entry.output_shape_czyx.slice(1) as unknown as Shape;
  if (entry.new_shape_from === "compute_new_shape") {
    expect(targetShape(shape, entry.current_spacing, entry.new_spacing)).toEqual(newShape);
  }
  const separate = separateAxis(entry.current_spacing, entry.new_spacing);
  expect(separate).toBe(entry.lowres_axis);
  expect(separate !== null).toBe(entry.do_separate_z);

  const length = shape[0] * shape[1] * shape[2];
  const newLength = newShape[0] * newShape[1] * newShape[2];
  for (let c = 0; c < entry.input_shape_czyx[0]!; c++) {
    const input = array("input").slice(c * length, (c + 1) * length);
    const part = (name: string) => array(name).slice(c * newLength, (c + 1) * newLength);
    if (entry.kind === "seg") {
      const labels = await resampleLabelArray(input as LabelArray, shape, newShape, separate);
      expect(labels).toEqual(part("expected"));
      continue;
    }
    const resample = entry.kind === "data" ? resampleImageArray : resampleLogits;
    const double = await resample(input, shape, newShape, { separate, result: Float64Array });
    expect(difference(double, part("expected_float64"))).toBeLessThan(5e-11);
    const single = await resample(input, shape, newShape, { separate, result: Float32Array });
    // nnU-Net rounds the results of float16 logits to float16: by half a step, 2^-8, at most.
    const tolerance = entry.kind === "data" ? 0 : entry.file === "logits_fp16.npz" ? 2 ** -8 : 9e-6;
    expect(difference(single, part("expected"))).toBeLessThanOrEqual(tolerance);
  }
});

test.for(golden?.separate_z_decisions ?? [])(
  "separate z from $current_spacing to $new_spacing",
  ({ current_spacing, new_spacing, axis }) => {
    expect(separateAxis(current_spacing, new_spacing)).toBe(axis);
  },
);

test.for(golden?.new_shape ?? [])(
  "shape of $old_shape",
  ({ old_shape, old_spacing, new_spacing, new_shape }) => {
    expect(targetShape(old_shape, old_spacing, new_spacing)).toEqual(new_shape);
  },
);

test.for(golden?.normalisation ?? [])("$file", async ({ file, scheme, intensityproperties }) => {
  const array = await arrays(file);
  const normalised =
    scheme === "CTNormalization"
      ? normaliseCT(array("input"), intensityproperties)
      : normaliseZScore(
          array("input"),
          file.includes("masked") ? array("seg").map((s) => +(s >= 0)) : undefined,
        );
  expect(difference(normalised, array("expected"))).toBeLessThan(4.8e-6);
});

test("z-scores of a nearly constant image divide by its own deviation, of a constant one by 1e-8", () => {
  const [low, high] = [1, Math.fround(1 + 2 ** -20)];
  const scores = normaliseZScore(Float64Array.of(low, high));
  expect([...scores].map((score) => Math.round(score * 10) / 10)).toEqual([-1, 1]);
  expect([...normaliseZScore(Float64Array.of(3, 3))]).toEqual([0, 0]);
});

test.skipIf(!golden)("statistics and percentiles", async () => {
  const { file, expected, percentiles } = golden!.statistics;
  const values = (await arrays(file))("foreground");
  const statistics = foregroundStatistics([values])!;
  for (const key of Object.keys(expected) as (keyof ForegroundStatistics)[]) {
    expect(Math.abs(statistics[key] - expected[key])).toBeLessThanOrEqual(1e-9 * Math.abs(expected[key]));
  }
  const ascending = Float64Array.from(values).sort();
  for (const [percent, value] of Object.entries(percentiles)) {
    expect(Math.abs(quantile(ascending, Number(percent) / 100) - value)).toBeLessThanOrEqual(
      1e-9 * Math.abs(value),
    );
  }
});

test.skipIf(!golden)("crop to non-zero", async () => {
  const { file, bbox_half_open } = golden!.crop_to_nonzero;
  const npz = await readNpz(`${root ?? ""}${file}`);
  const { shape, data } = npz.get("input")!;
  const space = shape.slice(1) as unknown as Shape;
  const length = space[0] * space[1] * space[2];
  const channels = Array.from({ length: shape[0]! }, (_, c) => data.slice(c * length, (c + 1) * length));
  const box = nonZeroBox(channels, space);
  expect(bbox_half_open).toEqual(box.start.map((start, axis) => [start, box.end[axis]]));
  expect([shape[0], ...boxShape(box)]).toEqual(npz.get("expected_data")!.shape);
  const cropped = channels.flatMap((channel) => [...cropArray(channel as Float32Array, space, box)]);
  expect(cropped).toEqual([...npz.get("expected_data")!.data]);
  const labels = cropArray(insideOf(channels, space), space, box);
  expect([...labels].map((i) => i - 1)).toEqual([...npz.get("expected_seg")!.data]);
});

function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  return worst;
}
