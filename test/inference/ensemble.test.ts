/** Probabilities of classes and regions, their labels, and which folds are averaged. */
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import {
  exportProbabilities,
  labelsOfProbabilities,
  predictEnsemble,
} from "../../tasks/study/inference/ensemble.ts";
import type { EnsembleModel, NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictCase } from "../../tasks/study/inference/predict.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import type { Preprocessed } from "../../tasks/study/inference/preprocess.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { toCanonical } from "../../tasks/study/volume/orient.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { differing, greatestDifference, joined, split } from "./golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

/** A row of four voxels of which the middle two are inside the crop. */
const cropped: Preprocessed = {
  data: new Float32Array(2),
  shape: [1, 1, 2],
  originalShape: [1, 1, 4],
  originalSpacing: [1, 1, 1],
  spacing: [1, 1, 1],
  box: { start: [0, 0, 1], end: [1, 1, 3] },
};

const model = (output: NetworkModel["output"]) =>
  ({
    nnunet: 2,
    transpose: [0, 1, 2],
    separateZ: { image: null, output: null },
    output,
  }) as unknown as NetworkModel;

test("classes: softmax inside the crop; outside, background has probability 1", async () => {
  const logits = [Float32Array.of(0, Math.log(3)), Float32Array.of(0, 0)];
  const heads = await exportProbabilities(model({ kind: "labels", count: 2 }), logits, cropped);
  expect(greatestDifference(joined(heads), [1, 0.5, 0.75, 1, 0, 0.5, 0.25, 0])).toBeLessThan(1e-6);
});

test("regions: the sigmoid of each head inside the crop; outside, all have probability 0", async () => {
  const logits = [Float32Array.of(0, Math.log(3)), Float32Array.of(-Math.log(4), 0)];
  const heads = await exportProbabilities(model({ kind: "regions", values: [1, 2] }), logits, cropped);
  expect(greatestDifference(joined(heads), [0, 0.5, 0.75, 0, 0, 0.2, 0.5, 0])).toBeLessThan(1e-6);
});

test("labels: the most probable class; of regions above one half the last one", () => {
  const heads = [
    Float32Array.of(0.2, 0.5, 0.3),
    Float32Array.of(0.5, 0.4, 0.3),
    Float32Array.of(0.3, 0.1, 0.4),
  ];
  expect([...labelsOfProbabilities(heads, { kind: "labels", count: 3 })]).toEqual([1, 0, 2]);
  const regions = [Float32Array.of(0.9, 0.9, 0.45, 0.5), Float32Array.of(0.8, 0.45, 0.2, 0.1)];
  expect([...labelsOfProbabilities(regions, { kind: "regions", values: [3, 300] })]).toEqual([300, 3, 0, 0]);
});

const golden = shared("golden/09_nnunet_more/c_ensemble_postprocessing");

test.skipIf(!golden)("the average of two configurations gives the reference's labels", async () => {
  const out = testFolder();
  await convertModel(golden!, out, { configuration: ["2d", "3d_fullres"] });
  const labels = await predictCase(out, [`${golden}/images/ens_0000.nii.gz`], { threads: 2 });
  const reference = await readLabels(`${golden}/expected/ens_ensemble_seg.nii.gz`);
  expect(differing(labels.data, reference.data)).toBe(0);

  // The same probabilities read as regions: it is the mean, not the sum, that must be above one half.
  const ensemble = (await readModel(out)) as EnsembleModel;
  const volume = await readNifti(`${golden}/images/ens_0000.nii.gz`, { float32: true });
  const output = { kind: "regions" as const, values: [1, 2, 3] };
  const regions = await predictEnsemble(out, { ...ensemble, output }, [volume], { threads: 2 });
  const { data, shape } = (await readNpz(`${golden}/expected/ens_probabilities.npz`)).get("ensemble")!;
  const expected = labelsOfProbabilities(split(data as Float32Array, shape[0]!), output);
  const [nx, ny, nz] = toCanonical(regions).size;
  expect(shape.slice(1)).toEqual([nz, ny, nx]);
  expect(differing(toCanonical(regions).data, expected)).toBe(0);
});

test.skipIf(!golden)(
  "a fold trained on all cases is used only if there is no other, or if it is named",
  async () => {
    const out = testFolder();
    await convertModel(golden!, out, { configuration: "2d" });
    const two = (await readModel(out)) as NetworkModel;
    const first = two.folds[0]!;
    const three = { ...two, folds: [...two.folds, { fold: "all", file: first.file }] };
    const input = {
      data: Float32Array.from({ length: 24 * 24 }, (_, i) => Math.sin(i)),
      shape: [1, 24, 24] as const,
    };
    const predict = async (m: NetworkModel, folds?: string[]) =>
      joined(await predictPreprocessed(out, m, input, folds ? { folds } : {}));
    expect(await predict(three)).toEqual(await predict(two));
    expect(await predict(three, ["all"])).toEqual(await predict(two, ["0"]));
    expect(await predict(three, ["all"])).not.toEqual(await predict(two));
    expect(await predict({ ...two, folds: [{ fold: "all", file: first.file }] })).toEqual(
      await predict(two, ["0"]),
    );
  },
);
