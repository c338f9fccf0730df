/**
 * Golden set 09, a to d: nnU-Net v2's 2d and cascade configurations, an ensemble, and STU-Net in its layout. Each stage
 * starts from the recorded input of that stage. Limits are ten times the measured differences.
 */
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { labelsOfProbabilities, predictProbabilities } from "../../tasks/study/inference/ensemble.ts";
import { exportLabels } from "../../tasks/study/inference/export.ts";
import type { NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { preprocess } from "../../tasks/study/inference/preprocess.ts";
import { postprocess, readPostprocessing } from "../../tasks/study/inference/postprocessing.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { fromCanonical, toCanonical } from "../../tasks/study/volume/orient.ts";
import type { LabelVolume } from "../../tasks/study/volume/volume.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { differing, greatestDifference, joined, split } from "./golden-network.ts";
import { windowDifference } from "./golden-window.ts";
import { testFolder } from "../helpers/folder.ts";

const root = shared("golden/09_nnunet_more");

interface Stage {
  readonly step: number;
  readonly cases: Record<string, { files: string[]; window_start: number[]; preprocessed_shape: number[] }>;
}

/** Files of one golden model: its folder in set 09, configuration, arrays and expected labels. */
interface Golden {
  readonly folder: string;
  readonly configuration: string;
  readonly stage: Stage;
  readonly arrays: string;
  readonly labels: string;
}

const json = (folder: string): unknown => JSON.parse(readFileSync(`${root}/${folder}/expected.json`, "utf8"));

function goldens(): Golden[] {
  if (!root) return [];
  const cascade = (json("b_cascade") as { stages: Record<string, Stage> }).stages;
  const ensemble = (json("c_ensemble_postprocessing") as { models: Record<string, Stage> }).models;
  const of = (folder: string, configuration: string, stage: Stage, name: string) => ({
    folder,
    configuration,
    stage,
    arrays: `${name}.npz`,
    labels: `${name}_seg_float32.nii.gz`,
  });
  return [
    of("a1_2d", "2d", json("a1_2d") as Stage, "cor_1"),
    of("a2_2d_two_channels", "2d", json("a2_2d_two_channels") as Stage, "two"),
    of("b_cascade", "3d_lowres", cascade["3d_lowres"]!, "casc_lowres"),
    of("b_cascade", "3d_cascade_fullres", cascade["3d_cascade_fullres"]!, "casc_cascade"),
    of("c_ensemble_postprocessing", "2d", ensemble["2d"]!, "ens_2d"),
    of("c_ensemble_postprocessing", "3d_fullres", ensemble["3d_fullres"]!, "ens_3d_fullres"),
    of("d_stunet_v2", "3d_fullres", json("d_stunet_v2") as Stage, "stu"),
  ];
}

test.each(goldens().map((golden) => [`${golden.folder} ${golden.configuration}`, golden] as const))(
  "%s: every stage",
  async (name, { folder, configuration, stage, arrays, labels: file }) => {
    const out = testFolder();
    await convertModel(`${root}/${folder}`, out, { configuration });
    const model = (await readModel(out)) as NetworkModel;
    const [facts] = Object.values(stage.cases);
    const golden = await readNpz(`${root}/${folder}/expected/${arrays}`);
    const volumes = await Promise.all(
      facts!.files.map((path) => readNifti(`${root}/${folder}/${path}`, { float32: true })),
    );
    const turn = <V extends LabelVolume>(volume: V) => (model.reorient ? (toCanonical(volume) as V) : volume);
    const turned = volumes.map((volume) => (model.reorient ? toCanonical(volume) : volume));
    const previous = model.previousStage
      ? turn(await readLabels(`${root}/${folder}/expected/casc_lowres_seg_float32.nii.gz`))
      : undefined;
    const input = await preprocess(model, turned, undefined, previous);
    const recorded = golden.get("preprocessed")!;
    expect([model.channels, ...input.shape]).toEqual(facts!.preprocessed_shape);
    const image = input.data.subarray(0, recorded.data.length);
    const preprocessed = greatestDifference(image, recorded.data);

    if (model.previousStage) {
      // -1 (outside the non-zero mask) and 0 both give no channel.
      const stages = golden.get("previous_stage_resampled")!.data;
      const masks = model.previousStage.values.flatMap((value) =>
        Array.from(stages, (v) => Number(v === value)),
      );
      expect(differing(input.data.subarray(recorded.data.length), masks)).toBe(0);
    }

    const data = new Float32Array([...recorded.data, ...input.data.subarray(recorded.data.length)]);
    const window = await windowDifference(
      out,
      model,
      { data, shape: input.shape },
      facts!.window_start,
      golden,
    );
    const logits = await predictPreprocessed(out, model, { data, shape: input.shape }, { threads: 2 });
    const expected = golden.get("merged_logits_float32")!;
    const merged = greatestDifference(joined(logits), expected.data);

    const exact = split(expected.data as Float32Array, expected.shape[0]!);
    const exported = await exportLabels(model, exact, input, turned[0]!);
    const labels = model.reorient ? fromCanonical(exported, volumes[0]!) : exported;
    const reference = await readLabels(`${root}/${folder}/expected/${file}`);
    const wrong = differing(labels.data, reference.data) * labels.data.length;
    console.info(
      `${name}: preprocessed ${preprocessed.toExponential(1)}, window ${window.toExponential(1)}, ` +
        `merged ${merged.toExponential(1)}, ${wrong} of ${labels.data.length} voxels differ`,
    );
    expect(preprocessed).toBeLessThan(7e-6);
    expect(window).toBeLessThan(4e-5);
    expect(merged).toBeLessThan(1.2e-4);
    expect(wrong).toBe(0);
    expect(labels.size).toEqual(reference.size);
    labels.affine.forEach((v, at) => expect(v).toBeCloseTo(reference.affine[at]!, 4));
  },
);

const cascade = `${root}/b_cascade/Dataset913_ToyCascade/nnUNetTrainer__nnUNetPlans__3d_cascade_fullres`;
const c = `${root}/c_ensemble_postprocessing`;

test.skipIf(!root)("c: probabilities of both configurations, their mean, and its labels", async () => {
  const golden = await readNpz(`${c}/expected/ens_probabilities.npz`);
  const volume = await readNifti(`${c}/images/ens_0000.nii.gz`, { float32: true });
  for (const configuration of ["2d", "3d_fullres"]) {
    const out = testFolder();
    await convertModel(c, out, { configuration });
    const model = (await readModel(out)) as NetworkModel;
    const heads = await predictProbabilities(out, [volume], { threads: 2 });
    // The recorded arrays are on the reader's grid.
    const read = model.reorient ? heads.map((data) => toCanonical({ ...volume, data }).data) : heads;
    const difference = greatestDifference(joined(read), golden.get(`config_${configuration}`)!.data);
    console.info(`${configuration}: probabilities ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(3.3e-6);
  }
  const mean = golden.get("ensemble")!;
  const [a, b] = ["2d", "3d_fullres"].map((name) => golden.get(`config_${name}`)!.data);
  const half = a!.map((p, i) => Math.fround(p + b![i]!) / 2);
  expect(greatestDifference(half, mean.data)).toBeLessThan(1e-6);
  const heads = split(mean.data as Float32Array, mean.shape[0]!);
  const data = labelsOfProbabilities(heads, { kind: "labels", count: heads.length });
  const reference = toCanonical(await readLabels(`${c}/expected/ens_ensemble_seg.nii.gz`));
  const found = (await readModel(await converted("2d"))) as NetworkModel;
  const stored = found.reorient
    ? reference.data
    : (await readLabels(`${c}/expected/ens_ensemble_seg.nii.gz`)).data;
  expect(differing(data, stored)).toBe(0);
});

async function converted(configuration: string): Promise<string> {
  const out = testFolder();
  await convertModel(c, out, { configuration });
  return out;
}

test.skipIf(!root)("c: postprocessing.pkl is read without running it, and applied exactly", async () => {
  const steps = await readPostprocessing(`${c}/postprocessing/postprocessing.pkl`);
  expect(steps).toEqual([[1, 2]]);
  const labels = await readLabels(`${c}/expected/ens_ensemble_seg.nii.gz`);
  const reference = await readLabels(`${c}/postprocessing/ens_ensemble_seg_postprocessed.nii.gz`);
  expect(differing(labels.data, reference.data)).toBeGreaterThan(0);
  expect(differing(postprocess(labels, steps).data, reference.data)).toBe(0);
});

test.skipIf(!root)("c: the component rule: corners connect, all largest components stay", async () => {
  const arrays = await readNpz(`${c}/postprocessing/component_rule.npz`);
  const rules = (
    json("c_ensemble_postprocessing") as {
      component_rule: Record<string, { labels_or_regions: number | (number | number[])[]; changed: number }>;
    }
  ).component_rule;
  expect(Object.keys(rules)).toHaveLength(7);
  for (const [name, { labels_or_regions, changed }] of Object.entries(rules)) {
    const { data, shape } = arrays.get(`${name}_in`)!;
    const [z, y, x] = shape as [number, number, number];
    const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const volume: LabelVolume = { data: data as Uint8Array, size: [x, y, z], spacing: [1, 1, 1], affine };
    const kept = postprocess(volume, [[labels_or_regions].flat(2)]);
    expect(differing(kept.data, arrays.get(`${name}_out`)!.data), name).toBe(0);
    expect(differing(kept.data, data) * data.length, name).toBeCloseTo(changed, 6);
  }
});

test.skipIf(!root)("a cascade whose folder does not say so is refused", async () => {
  const moved = join(testFolder(), "moved");
  cpSync(cascade, moved, { recursive: true });
  await expect(convertModel(moved, testFolder())).rejects.toThrow(
    "must be named Trainer__Plans__configuration",
  );
});

test.skipIf(!root)("a cascade without its first stage is refused", async () => {
  await expect(convertModel(cascade, join(testFolder(), "out"))).rejects.toThrow(
    "its first stage 3d_lowres is not there",
  );
});
