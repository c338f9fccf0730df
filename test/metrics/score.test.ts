import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { nearestDistances } from "../../tasks/study/metrics/distances.ts";
import { withinReferenceSlices } from "../../tasks/study/metrics/reference-slices.ts";
import { type MetricSettings, metricSettings, scoreCase } from "../../tasks/study/metrics/score.ts";
import { slotGrids } from "../../tasks/study/metrics/slots.ts";
import { type Surface, surfaceElements } from "../../tasks/study/metrics/surface.ts";
import { createRandom } from "../../tasks/study/random.ts";
import { readLabels } from "../../tasks/study/volume/nifti.ts";
import type { LabelVolume } from "../../tasks/study/volume/volume.ts";
import { shared } from "../helpers/shared.ts";

const defaults = metricSettings.parse({});

/** 8×8×8 voxels with a 4×4×4 cube of label 1 at each of the given corners. */
function cubes(...corners: [number, number, number][]): LabelVolume {
  const data = new Uint8Array(512);
  for (const [cx, cy, cz] of corners) {
    for (let i = 0; i < 64; i++)
      data[cx + (i % 4) + 8 * (cy + (Math.floor(i / 4) % 4) + 8 * (cz + (i >> 4)))] = 1;
  }
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1];
  return { data, size: [8, 8, 8], spacing: [1, 1, 2], affine };
}

const score = (a: LabelVolume, b: LabelVolume, settings: Partial<MetricSettings> = {}) =>
  scoreCase(a, b, { organ: 1 }, { ...defaults, ...settings }).organ;

test("a perfect prediction has perfect scores", () => {
  expect(score(cubes([2, 2, 2]), cubes([2, 2, 2]))).toEqual({ dice: 1, surface_dice: 1, hd95: 0, assd: 0 });
});

test("distances and tolerance are in millimetres or in voxels", () => {
  const [a, b] = [cubes([2, 2, 1]), cubes([2, 2, 2])];
  expect(score(a, b).dice).toBe(0.75);
  expect(score(a, b).hd95).toBe(2);
  expect(score(a, b, { units: "voxel" }).hd95).toBe(1);
  expect(score(a, b).surface_dice).toBeLessThan(1);
  expect(score(a, b, { units: "voxel" }).surface_dice).toBe(1);
});

test("an empty mask gives 0, null or the value of both_empty", () => {
  const [none, some] = [cubes(), cubes([0, 0, 0])];
  const undefined_ = { dice: null, surface_dice: null, hd95: null, assd: null };
  expect(score(none, none)).toEqual(undefined_);
  expect(score(none, none, { both_empty: 1 })).toEqual({ ...undefined_, dice: 1, surface_dice: 1 });
  expect(score(none, none, { both_empty: 0 })).toEqual({ ...undefined_, dice: 0, surface_dice: 0 });
  const missed = { dice: 0, surface_dice: 0, hd95: null, assd: null };
  expect(score(some, none)).toEqual(missed);
  expect(score(none, some)).toEqual(missed);
});

test("without distances the other scores stay the same", () => {
  const [a, b] = [cubes([0, 2, 1]), cubes([1, 2, 2])];
  expect(score(a, b, { distances: false })).toEqual({ ...score(a, b), hd95: null, assd: null });
});

test("a tolerance larger than the volume covers everything", () => {
  expect(score(cubes([0, 0, 0]), cubes([4, 4, 4]), { tolerance: 100 }).surface_dice).toBe(1);
});

test("each organ has its own tolerance; an organ without one is refused by name", () => {
  const [a, b] = [cubes([2, 2, 1]), cubes([2, 2, 2])];
  const scores = scoreCase(a, b, { fine: 1, coarse: 1 }, { ...defaults, tolerance: { fine: 1, coarse: 2 } });
  expect(scores.fine.surface_dice).toBeLessThan(1);
  expect(scores.coarse.surface_dice).toBe(1);
  expect(() => score(a, b, { tolerance: { liver: 1 } })).toThrow("organ has none");
});

test("an organ can be limited to the reference's slices without the last one", () => {
  // The reference has slices 2 to 5, the prediction all eight. Slices 2 to 4 count.
  const [a, b] = [cubes([2, 2, 2]), cubes([2, 2, 0], [2, 2, 4])];
  expect(score(a, b).dice).toBeCloseTo(8 / 12, 12);
  expect(score(a, b, { reference_slices: ["organ"] })).toEqual({
    dice: 1,
    surface_dice: 1,
    hd95: 0,
    assd: 0,
  });
  expect(score(a, b, { reference_slices: ["another"] })).toEqual(score(a, b));
  // If the reference does not have the organ, all slices count.
  expect(score(cubes(), b, { reference_slices: ["organ"] }).dice).toBe(0);
});

test("an organ below least_dice gets a Surface Dice of 0", () => {
  const [a, b] = [cubes([2, 2, 2]), cubes([2, 2, 0], [2, 2, 4])];
  const all = score(a, b);
  expect(all.surface_dice).toBeGreaterThan(0);
  expect(score(a, b, { least_dice: 0.7 })).toEqual({ ...all, surface_dice: 0 });
  expect(score(a, b, { least_dice: 0.6 })).toEqual(all);
});

test("volumes on different grids are refused", () => {
  const a = cubes([0, 0, 0]);
  const moved = { ...a, affine: a.affine.map((v, i) => (i === 3 ? v + 0.5 : v)) };
  expect(() => score(a, moved)).toThrow(/prediction: its voxels lie up to 0.500 mm from those of reference/);
  const longer = { ...a, size: [8, 16, 4] as const };
  expect(() => score(a, longer)).toThrow("8×16×4 is not that of reference, 8×8×8");
});

test("more labels than a grid of bytes can hold are scored in groups", () => {
  const data = Uint16Array.from({ length: 1000 }, (_, i) => i + 1);
  const volume: LabelVolume = {
    data,
    size: [10, 10, 10],
    spacing: [1, 1, 1],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  };
  const other = { ...volume, data: data.map((label) => (label % 2 === 0 ? label : 0)) };
  const labels = Object.fromEntries(Array.from(data, (label) => [`n${label}`, label]));
  const scores = scoreCase(volume, other, labels, defaults);
  for (const label of data) expect(scores[`n${label}`]!.dice).toBe(label % 2 === 0 ? 1 : 0);
});

test("nearest distances equal those of a search through all targets, near and far", () => {
  const random = createRandom(7);
  const size = [40, 30, 20] as const;
  const sparse = (share: number, from: number, to: number): LabelVolume => {
    const data = Uint8Array.from({ length: 24000 }, (_, i) =>
      i % 40 >= from && i % 40 < to && random.next() < share ? 1 : 0,
    );
    return { data, size, spacing: [0.7, 1.1, 2.3], affine: [] };
  };
  const [a, b] = [sparse(0.01, 0, 40), sparse(0.003, 0, 8)];
  const grids = slotGrids(a, b, [1]);
  const queries = surfaceElements(grids.reference, 1)[1]!;
  const targets = surfaceElements(grids.prediction, 1)[1]!;
  const found = nearestDistances(queries, targets, a.spacing);
  const brute = Float64Array.from(found, (_, i) => nearest(queries, i, targets, a.spacing));
  expect(Math.max(...brute)).toBeGreaterThan(15);
  found.forEach((d, i) => expect(d).toBeCloseTo(brute[i]!, 12));
});

function nearest(queries: Surface, i: number, targets: Surface, [sx, sy, sz]: readonly number[]): number {
  let best = Infinity;
  for (let t = 0; t < targets.length; t++) {
    const d = Math.hypot(
      (queries.x[i]! - targets.x[t]!) * sx!,
      (queries.y[i]! - targets.y[t]!) * sy!,
      (queries.z[i]! - targets.z[t]!) * sz!,
    );
    best = Math.min(best, d);
  }
  return best;
}

describe("figures of the reference implementations on real labels", () => {
  const goldens = shared("reference/goldens.json");
  const truth = shared("data/totalsegmentator/slab3mm_seg_ts1p5mm.nii.gz");
  const predicted = shared("data/totalsegmentator/slab3mm_seg_ts3mm.nii.gz");
  const here = goldens && truth && predicted ? { goldens, truth, predicted } : null;

  test.skipIf(!here)("DeepMind and MONAI", async () => {
    const golden = JSON.parse(readFileSync(here!.goldens, "utf8")) as Goldens;
    const reference = await readLabels(here!.truth);
    const prediction = await readLabels(here!.predicted);
    for (const row of golden.surface_dice_deepmind_iso3mm.rows) {
      for (const tolerance of [0, 1, 2, 3, 5] as const) {
        const scores = scoreCase(reference, prediction, { organ: row.label }, { ...defaults, tolerance });
        same(scores.organ.dice, row.dice);
        same(scores.organ.surface_dice, row[`sd_${tolerance}mm`]);
      }
    }
    const monai = golden.surface_dice_monai.rows.slab3mm;
    for (const [name, expected] of Object.entries(monai.rows)) {
      const [, tau, elements, unit] = /^tau(\d)_subvoxels(True|False)_spacing(unit|mm)$/.exec(name)!;
      const labels = Object.fromEntries(monai.labels.map((label) => [String(label), label]));
      const scores = scoreCase(reference, prediction, labels, {
        ...defaults,
        tolerance: Number(tau),
        variant: elements === "True" ? "surface-area" : "voxel-count",
        units: unit === "mm" ? "mm" : "voxel",
        distances: false,
      });
      monai.labels.forEach((label, i) => {
        same(scores[label]!.surface_dice, expected[i] ?? null);
      });
    }
  });
});

/** Compares to the six recorded digits. */
function same(actual: number | null, expected: number | null): void {
  if (expected === null) expect(actual).toBeNull();
  else expect(actual).toBeCloseTo(expected, 6);
}

interface Goldens {
  surface_dice_deepmind_iso3mm: {
    rows: ({ label: number; dice: number | null } & Record<`sd_${0 | 1 | 2 | 3 | 5}mm`, number | null>)[];
  };
  surface_dice_monai: {
    rows: { slab3mm: { labels: number[]; rows: Record<string, (number | null)[]> } };
  };
}

test("reference slices: from the first slice with the label to before the last one; other labels stay", () => {
  const volume = (...data: number[]) =>
    ({ data: Uint8Array.from(data), size: [2, 1, 5], spacing: [1, 1, 1], affine: [] }) as const;
  const reference = volume(0, 8, 7, 8, 7, 8, 7, 8, 0, 8);
  const prediction = volume(7, 8, 7, 8, 7, 8, 7, 8, 7, 8);
  const limited = withinReferenceSlices(reference, prediction, [7]);
  expect([...limited.reference.data]).toEqual([0, 8, 7, 8, 7, 8, 0, 8, 0, 8]);
  expect([...limited.prediction.data]).toEqual([0, 8, 7, 8, 7, 8, 0, 8, 0, 8]);
  expect(withinReferenceSlices(reference, prediction, [])).toEqual({ reference, prediction });
});
