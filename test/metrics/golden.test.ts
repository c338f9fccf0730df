/**
 * Golden set 01: DeepMind's surface distances and the aggregation of scores.
 * Tolerances: counts, Dice and robust Hausdorff exact (where its recorded margin allows it); areas 1e-12 and means 1.3e-11
 * relative; Surface Dice 8e-15, overlaps 6e-13; aggregation 1e-12.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { aggregate } from "../../tasks/study/metrics/aggregate.ts";
import { nearestDistances } from "../../tasks/study/metrics/distances.ts";
import { scoreCase } from "../../tasks/study/metrics/score.ts";
import { slotGrids } from "../../tasks/study/metrics/slots.ts";
import { type Spacing, surfaceAreas } from "../../tasks/study/metrics/surface-area.ts";
import { type Surface, surfaceElements } from "../../tasks/study/metrics/surface.ts";
import { sharesWithin, surfaceDice } from "../../tasks/study/metrics/tolerance.ts";
import { quantileDistance, weighedSum, weightWithin } from "../../tasks/study/metrics/weighed.ts";
import { commonOrgans } from "../../tasks/study/results/results.ts";
import { readLabels } from "../../tasks/study/volume/nifti.ts";
import { shared } from "../helpers/shared.ts";

type Recorded = number | "NaN" | "Infinity";

interface Label {
  voxels_ref: number;
  voxels_pred: number;
  voxels_intersection: number;
  dice: Recorded;
  n_surfels_ref: number;
  n_surfels_pred: number;
  surface_area_ref_mm2: number;
  surface_area_pred_mm2: number;
  surface_dice: Record<string, Recorded>;
  surface_overlap: Record<string, [Recorded, Recorded]>;
  robust_hausdorff_50_mm: Recorded;
  robust_hausdorff_95_mm: Recorded;
  robust_hausdorff_100_mm: Recorded;
  average_surface_distance_mm: { ref_to_pred: Recorded; pred_to_ref: Recorded };
  hd95_cumulative_margin: number | null;
}

interface Scored {
  spacing_mm: Spacing;
  labels: Record<string, Label>;
}

const root = shared("golden/01_metrics/");
const json = <T>(path: string) => JSON.parse(readFileSync(`${root ?? ""}${path}`, "utf8")) as T;
const cases = root ? readdirSync(root).filter((name) => existsSync(`${root}${name}/expected.json`)) : [];

test.for(cases)("%s", async (name) => {
  const expected = json<Scored & { also_with_other_spacing?: Scored[] }>(`${name}/expected.json`);
  const reference = await readLabels(`${root}${name}/ref.nii.gz`);
  const prediction = await readLabels(`${root}${name}/pred.nii.gz`);
  expect(reference.spacing).toEqual(expected.spacing_mm);
  const ids = Object.keys(expected.labels).map(Number);
  const grids = slotGrids(reference, prediction, ids);
  const references = surfaceElements(grids.reference, ids.length);
  const predictions = surfaceElements(grids.prediction, ids.length);

  for (const { spacing_mm: spacing, labels } of [expected, ...(expected.also_with_other_spacing ?? [])]) {
    const organs = Object.fromEntries(ids.map((id) => [String(id), id]));
    const scores = scoreCase({ ...reference, spacing }, { ...prediction, spacing }, organs, {
      space: "native",
      units: "mm",
      variant: "surface-area",
      tolerance: 2,
      both_empty: "nan",
      distances: true,
    });
    ids.forEach((id, i) => {
      const label = labels[id]!;
      const { counts } = grids;
      expect([counts.reference[i + 1], counts.prediction[i + 1], counts.both[i + 1]]).toEqual([
        label.voxels_ref,
        label.voxels_pred,
        label.voxels_intersection,
      ]);
      compare(references[i + 1]!, predictions[i + 1]!, spacing, label);

      const score = scores[id]!;
      close(score.dice ?? NaN, label.dice, 0);
      close(score.surface_dice ?? NaN, label.surface_dice["2"]!, 8e-15);
      const empty = label.voxels_ref === 0 || label.voxels_pred === 0;
      if ((label.hd95_cumulative_margin ?? 1) > 1e-9) {
        close(score.hd95 ?? Infinity, empty ? "Infinity" : label.robust_hausdorff_95_mm, 0);
      }
      const { ref_to_pred: a, pred_to_ref: b } = label.average_surface_distance_mm;
      const [areaA, areaB] = [label.surface_area_ref_mm2, label.surface_area_pred_mm2];
      if (empty) expect(score.assd).toBeNull();
      else relative(score.assd!, (Number(a) * areaA + Number(b) * areaB) / (areaA + areaB), 1.3e-11);
    });
  }
});

function compare(reference: Surface, prediction: Surface, spacing: Spacing, label: Label): void {
  expect([reference.length, prediction.length]).toEqual([label.n_surfels_ref, label.n_surfels_pred]);
  const areas = surfaceAreas(spacing);
  const measure = (from: Surface, to: Surface) => ({
    distances: nearestDistances(from, to, spacing),
    weights: Float64Array.from({ length: from.length }, (_, i) => areas[from.code[i]!]!),
  });
  const there = measure(reference, prediction);
  const back = measure(prediction, reference);
  for (const [tolerance, expected] of Object.entries(label.surface_dice)) {
    const shares = sharesWithin(reference, prediction, areas, spacing, Number(tolerance));
    relative(shares.reference.area, label.surface_area_ref_mm2, 1e-12);
    relative(shares.prediction.area, label.surface_area_pred_mm2, 1e-12);
    close(surfaceDice(shares), expected, 8e-15);
    const overlap = label.surface_overlap[tolerance]!;
    close(shares.reference.within / shares.reference.area, overlap[0], 6e-13);
    close(shares.prediction.within / shares.prediction.area, overlap[1], 6e-13);
    // The same from the distances.
    close(weightWithin(there, Number(tolerance)) / weighedSum(there).weight, overlap[0], 6e-13);
    close(weightWithin(back, Number(tolerance)) / weighedSum(back).weight, overlap[1], 6e-13);
  }
  const hausdorff = (q: number) => Math.max(quantileDistance(there, q), quantileDistance(back, q));
  close(hausdorff(0.5), label.robust_hausdorff_50_mm, 0);
  close(hausdorff(1), label.robust_hausdorff_100_mm, 0);
  const average = (side: typeof there) => weighedSum(side).sum / weighedSum(side).weight;
  const { ref_to_pred, pred_to_ref } = label.average_surface_distance_mm;
  relative(average(there), ref_to_pred, 1.3e-11);
  relative(average(back), pred_to_ref, 1.3e-11);
}

test.skipIf(!root)("areas of all 256 codes", () => {
  const { tables } = json<{ tables: { spacing_mm: Spacing; area_mm2: number[] }[] }>(
    "surfel_area_tables.json",
  );
  expect(tables.length).toBeGreaterThan(0);
  for (const table of tables) {
    surfaceAreas(table.spacing_mm).forEach((area, code) => relative(area, table.area_mm2[code]!, 1e-12));
  }
});

interface Aggregation {
  also_as_percent: Record<string, Record<"population" | "sample", string>>;
  subjects: string[];
  organs: string[];
  scores: Record<string, Record<string, Record<string, Recorded>>>;
  generator_labels: Record<string, string[]>;
  expected_common_labels: string[];
  expected: Record<
    string,
    Record<
      "missing_skipped" | "missing_counted_as_1",
      Record<
        "population" | "sample",
        {
          organ_mean: Record<string, number>;
          organ_std: Record<string, number>;
          organ_n?: Record<string, number>;
          mean_over_common_organs: number;
          rms_of_organ_stds_over_common_organs: number;
        }
      >
    >
  >;
}

test.skipIf(!root)("aggregation", () => {
  const golden = json<Aggregation>("aggregation.json");
  const generators = Object.values(golden.generator_labels).map((predicts) => ({ predicts, cases: [] }));
  const common = commonOrgans(generators);
  expect([...common].sort()).toEqual([...golden.expected_common_labels].sort());
  for (const [metric, rules] of Object.entries(golden.expected)) {
    for (const rule of ["missing_skipped", "missing_counted_as_1"] as const) {
      for (const deviation of ["population", "sample"] as const) {
        const expected = rules[rule][deviation];
        const missing = rule === "missing_skipped" ? null : 1;
        const scores = common.map((organ) =>
          golden.subjects.map((subject) => {
            const value = golden.scores[metric]![subject]![organ]!;
            return typeof value === "number" ? value : missing;
          }),
        );
        const { mean, std, organs } = aggregate(scores, { deviation });
        if (missing === null) {
          const percent = [mean, std].map((value) => (100 * value).toFixed(1)).join("±");
          expect(percent).toBe(golden.also_as_percent[metric]![deviation]);
        }
        close(mean, expected.mean_over_common_organs, 1e-12);
        close(std, expected.rms_of_organ_stds_over_common_organs, 1e-12);
        common.forEach((organ, i) => {
          close(organs[i]!.mean, expected.organ_mean[organ]!, 1e-12);
          close(organs[i]!.std, expected.organ_std[organ]!, 1e-12);
          if (expected.organ_n) expect(organs[i]!.cases).toBe(expected.organ_n[organ]);
        });
      }
    }
  }
});

function close(actual: number, expected: Recorded, tolerance: number): void {
  const value = Number(expected);
  if (Number.isFinite(value)) expect(Math.abs(actual - value)).toBeLessThanOrEqual(tolerance);
  else expect(actual).toBe(value);
}

function relative(actual: number, expected: Recorded, tolerance: number): void {
  close(actual, expected, tolerance * Math.abs(Number(expected) || 1));
}
