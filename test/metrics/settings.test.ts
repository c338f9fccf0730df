/** Every setting of the metrics changes the key and the scores, through the study's own rules. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { parse, stringify } from "yaml";
import { labelTable, labelTableText } from "../../tasks/study/labels/labels.ts";
import { scoreCase, type MetricSettings } from "../../tasks/study/metrics/score.ts";
import { prepareLabels } from "../../tasks/study/resample/prepare.ts";
import { writeNifti } from "../../tasks/study/volume/nifti.ts";
import type { LabelVolume } from "../../tasks/study/volume/volume.ts";
import { HOME } from "../helpers/bundle.ts";
import { Project } from "../helpers/project.ts";

const SPACING = [2, 2, 3] as const;
/** The settings of params.yaml. */
const DEFAULTS: MetricSettings = {
  space: "native",
  units: "mm",
  variant: "surface-area",
  tolerance: 1,
  both_empty: "nan",
  distances: false,
};

/** SegTHOR's oesophagus (1) and heart (2). The prediction has the first two voxels off and misses the second. */
function volume(shift: number, labels: readonly number[]): LabelVolume {
  const data = new Uint8Array(24 * 24 * 16);
  for (const label of labels)
    for (let z = 2; z < 10; z++)
      for (let y = 4; y < 14; y++)
        for (let x = 2 + shift; x < 10 + shift; x++) data[x + 12 * (label - 1) + 24 * (y + 24 * z)] = label;
  const affine = [1.5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1];
  return { data, size: [24, 24, 16], spacing: [1.5, 1, 2], affine };
}

const reference = volume(0, [1, 2]);
const prediction = volume(2, [1]);

/** A project with pipeline.yaml's own rules from labels to scores, over one case. */
async function study(): Promise<Project> {
  const whole = parse(readFileSync(`${HOME}pipeline.yaml`, "utf8"), { merge: true }) as {
    readonly rules: { readonly [name: string]: { readonly run: string } };
  };
  const rules = ["prepare-labels", "score", "score-resampled"].map((name) => {
    const rule = whole.rules[name]!;
    return [name, { ...rule, run: `lq:${rule.run}` }];
  });
  const axes = { dataset: ["segthor"], generator: ["medsam"], version: ["base", "medsam"] };
  const { metrics, normalisation } = parse(readFileSync(`${HOME}params.yaml`, "utf8"), { merge: true }) as {
    readonly [key: string]: unknown;
  };
  const built = new Project({
    "pipeline.yaml": stringify({
      version: 1,
      params: "params.yaml",
      axes,
      rules: Object.fromEntries(rules) as object,
    }),
    "params.yaml": stringify({
      metrics,
      normalisation,
      reading: {},
      sources: { segthor: { layout: "segthor" } },
      generators: { medsam: { classes: "all" } },
    }),
    "profiles/replication.yaml": readFileSync(`${HOME}profiles/replication.yaml`, "utf8"),
    "cases/segthor.json": JSON.stringify({ cases: ["1"] }),
    "stats/segthor.json": JSON.stringify({ spacing: SPACING, labels: {} }),
    "organs/segthor.json": labelTableText(labelTable("segthor")),
    "labels/segthor/base/.keep": "",
    "labels/segthor/medsam/.keep": "",
  });
  await writeNifti(built.path("labels/segthor/base/1.nii.gz"), reference);
  await writeNifti(built.path("labels/segthor/medsam/1.nii.gz"), prediction);
  return built;
}

const scoresOf = (built: Project): unknown =>
  (JSON.parse(built.read("scores/segthor/medsam/1.json")) as { readonly organs: unknown }).organs;

const NAMES = Object.fromEntries([...labelTable("segthor")].map(([value, { name }]) => [name, value]));

test("each setting changes the key and the scores; undoing it restores the outputs", async () => {
  const built = await study();
  const target = { targets: ["scores/"] };
  expect((await built.build(target)).ran).toEqual(["score:segthor/medsam/1"]);
  expect(scoresOf(built)).toEqual(scoreCase(reference, prediction, NAMES, DEFAULTS));

  const changes: readonly (readonly [set: string, settings: Partial<MetricSettings>])[] = [
    ["metrics.units=voxel", { units: "voxel" }],
    ["metrics.variant=voxel-count", { variant: "voxel-count" }],
    ["metrics.tolerance=3", { tolerance: 3 }],
    ["metrics.both_empty=1", { both_empty: 1 }],
    ["metrics.distances=true", { distances: true }],
    ['metrics.reference_slices=["esophagus"]', { reference_slices: ["esophagus"] }],
    ["metrics.least_dice=1", { least_dice: 1 }],
  ];
  const seen = new Set([JSON.stringify(scoresOf(built))]);
  for (const [set, settings] of changes) {
    expect((await built.build({ ...target, set: [set] })).ran).toEqual(["score:segthor/medsam/1"]);
    expect(scoresOf(built)).toEqual(scoreCase(reference, prediction, NAMES, { ...DEFAULTS, ...settings }));
    seen.add(JSON.stringify(scoresOf(built)));
  }
  expect(seen.size).toBe(changes.length + 1);
  expect(await built.build(target)).toMatchObject({ ran: [], restored: ["score:segthor/medsam/1"] });
});

test("a tolerance for each organ, by its name in the dataset", async () => {
  const built = await study();
  const tolerance = Object.fromEntries(Object.keys(NAMES).map((name, i) => [name, i]));
  const set = [`metrics.tolerance=${JSON.stringify(tolerance)}`];
  expect((await built.build({ targets: ["scores/"], set })).ran).toHaveLength(1);
  expect(scoresOf(built)).toEqual(scoreCase(reference, prediction, NAMES, { ...DEFAULTS, tolerance }));
});

test("a tolerance map without an organ, or with an unknown one, is refused before the cases are known", async () => {
  const built = await study();
  built.write(
    "params.yaml",
    built.read("params.yaml").replace("tolerance: 1", "tolerance: { heart: 2, milt: 3 }"),
  );
  const error = await built.build({ targets: ["scores/"] }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).diagnostics.map(({ message, span }) => [span?.file, message])).toEqual([
    [
      "params.yaml",
      expect.stringMatching(
        /^score:segthor\/medsam\/\S+: param .* there is none for esophagus, trachea, aorta$/,
      ),
    ],
    ["params.yaml", expect.stringMatching(/ no label is called "milt"$/)],
  ]);
});

test("the replication profile scores on the resampled grid, in voxels", async () => {
  const built = await study();
  const { ran } = await built.build({ targets: ["scores/"], profiles: ["replication"] });
  expect(ran).toEqual([
    "prepare-labels:segthor/base/1",
    "prepare-labels:segthor/medsam/1",
    "score-resampled:segthor/medsam/1",
  ]);
  const a = await prepareLabels(reference, SPACING);
  const b = await prepareLabels(prediction, SPACING);
  expect(a.size).toEqual([18, 12, 11]);
  const settings = { ...DEFAULTS, space: "resampled", units: "voxel" } as const;
  expect(scoresOf(built)).toEqual(scoreCase(a, b, NAMES, settings));
});
