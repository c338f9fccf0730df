import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Shape } from "../../tasks/study/arrays.ts";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { exportLabels } from "../../tasks/study/inference/export.ts";
import type { NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { preprocess } from "../../tasks/study/inference/preprocess.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { fromCanonical, toCanonical } from "../../tasks/study/volume/orient.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { cutWindow, differing, greatestDifference, joined, temporaryFolder } from "./golden-network.ts";

interface Case {
  readonly files: string[];
  readonly preprocessed_shape: number[];
  readonly bbox_used_for_cropping: [number, number][];
  readonly window_start: number[];
}

interface Expected {
  readonly step: number;
  readonly patch: Shape;
  readonly cases: Record<string, Case>;
}

const limits = { preprocessed: 1e-4, window: 1e-4, merged: 2e-4 };

// m1's 96 windows with 8 mirrorings of 2 networks would take minutes: one window of it goes through all of them, and
// the export starts from nnU-Net's own merged logits. `bench/inference.ts` predicts it whole.
for (const name of ["m1", "m2", "m3", "m4"]) {
  const folder = shared(`golden/04_nnunet_v2/${name}`);
  test.skipIf(!folder)(`${name}: every stage of nnU-Net v2 and the labels`, async () => {
    const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
    const out = temporaryFolder();
    // A parent folder of the model works too.
    await convertModel(folder!, out);
    const model = (await readModel(out)) as NetworkModel;
    for (const [i, [id, facts]] of Object.entries(expected.cases).entries()) {
      const golden = await readNpz(`${folder}/expected/${id}.npz`);
      const volumes = await Promise.all(facts.files.map((file) => readNifti(`${folder}/${file}`)));
      const turned = model.reorient ? volumes.map((v) => toCanonical(v)) : volumes;
      const input = await preprocess(model, turned);
      expect([model.channels, ...input.shape]).toEqual(facts.preprocessed_shape);
      expect(input.box).toEqual({
        start: facts.bbox_used_for_cropping.map(([start]) => start),
        end: facts.bbox_used_for_cropping.map(([, end]) => end),
      });
      const preprocessed = greatestDifference(input.data, golden.get("preprocessed")!.data);

      const window = i > 0 ? 0 : await windowDifference(out, model, facts, expected.patch, golden);
      const recorded = golden.get("merged_logits_float32")!;
      const whole = name !== "m1";
      const logits = whole
        ? await predictPreprocessed(out, model, input, { step: expected.step, threads: 2 })
        : split(recorded.data as Float32Array, recorded.shape[0]!);
      const merged = greatestDifference(joined(logits), recorded.data);

      const canonical = await exportLabels(model, logits, input, turned[0]!);
      const labels = model.reorient ? fromCanonical(canonical, volumes[0]!) : canonical;
      const reference = await readLabels(`${folder}/expected/${id}_seg_float32.nii.gz`);
      const share = differing(labels.data, reference.data);
      console.info(
        `${name}/${id}: preprocessed ${preprocessed.toExponential(1)}, window ${window.toExponential(1)}, ` +
          `merged logits ${whole ? merged.toExponential(1) : "not run"}, ` +
          `${share * reference.data.length} of ${reference.data.length} voxels differ`,
      );
      expect(preprocessed).toBeLessThan(limits.preprocessed);
      expect(window).toBeLessThan(limits.window);
      expect(merged).toBeLessThan(limits.merged);
      expect(share).toBeLessThanOrEqual(1e-4);
      expect(labels.size).toEqual(reference.size);
      expect(labels.data).toBeInstanceOf(Uint8Array);
      labels.affine.forEach((v, at) => expect(v).toBeCloseTo(reference.affine[at]!, 4));
    }
  });
}

/** Predicts one window with all mirrorings and folds; compares with the mean of nnU-Net's. */
async function windowDifference(
  out: string,
  model: NetworkModel,
  { window_start }: Case,
  patch: Shape,
  golden: Awaited<ReturnType<typeof readNpz>>,
): Promise<number> {
  const { data, shape } = golden.get("preprocessed")!;
  const window = cutWindow(data, shape, window_start, patch);
  const logits = await predictPreprocessed(out, model, { data: window, shape: patch }, { threads: 2 });
  const mirrored = golden.get("window_logits_mirrored")!;
  const folds = split(mirrored.data as Float32Array, mirrored.shape[0]!);
  const mean = folds[0]!.map((_, i) => folds.reduce((sum, fold) => sum + fold[i]!, 0) / folds.length);
  return greatestDifference(joined(logits), mean);
}

/** Splits `values` into `count` arrays of equal length. */
function split(values: Float32Array, count: number): Float32Array[] {
  const length = values.length / count;
  return Array.from({ length: count }, (_, i) => values.slice(i * length, (i + 1) * length));
}
