import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/lib/inference/convert.ts";
import { exportLabels } from "../../tasks/lib/inference/export.ts";
import { predictPreprocessed, readModel } from "../../tasks/lib/inference/predict-nnunet.ts";
import { preprocess } from "../../tasks/lib/inference/preprocess.ts";
import { readLabels, readNifti } from "../../tasks/lib/volume/nifti.ts";
import { fromCanonical, toCanonical } from "../../tasks/lib/volume/orient.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { differing, greatestDifference, joined, temporaryFolder } from "./golden-network.ts";

interface Expected {
  readonly model: string;
  readonly step: number;
  readonly cases: Record<
    string,
    { files: string[]; preprocessed_shape: number[]; bbox_used_for_cropping: [number, number][] }
  >;
}

for (const name of ["m1", "m2", "m3", "m4"]) {
  const folder = shared(`golden/04_nnunet_v2/${name}`);
  test.skipIf(!folder)(`${name}: each stage of nnU-Net v2, and the whole`, { timeout: 180_000 }, async () => {
    const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
    const out = temporaryFolder();
    // A folder above the model serves as well.
    await convertModel(folder!, out);
    const model = await readModel(out);
    if (model.kind !== "nnunet") throw new Error("recognised as something else");
    const settings = { step: expected.step, threads: 2 };
    for (const [id, facts] of Object.entries(expected.cases)) {
      const golden = await readNpz(`${folder}/expected/${id}.npz`);
      const images = facts.files.map((file) => `${folder}/${file}`);
      const volumes = await Promise.all(images.map((path) => readNifti(path)));
      const turned = model.reorient ? volumes.map((v) => toCanonical(v)) : volumes;
      const input = preprocess(model, turned);
      expect([model.channels, ...input.shape]).toEqual(facts.preprocessed_shape);
      expect(input.box).toEqual({
        start: facts.bbox_used_for_cropping.map(([start]) => start),
        end: facts.bbox_used_for_cropping.map(([, end]) => end),
      });
      const preprocessed = greatestDifference(input.data, golden.get("preprocessed")!.data);
      const logits = await predictPreprocessed(out, model, input, settings);
      const merged = greatestDifference(joined(logits), golden.get("merged_logits_float32")!.data);

      const canonical = exportLabels(model, logits, input, turned[0]!);
      const labels = model.reorient ? fromCanonical(canonical, volumes[0]!) : canonical;
      const reference = await readLabels(`${folder}/expected/${id}_seg_float32.nii.gz`);
      const share = differing(labels.data, reference.data);
      console.info(
        `${name}/${id}: preprocessed ${preprocessed.toExponential(1)}, merged logits ${merged.toExponential(1)}, ` +
          `${share * reference.data.length} of ${reference.data.length} voxels differ`,
      );
      expect(preprocessed).toBeLessThan(1e-4);
      expect(merged).toBeLessThan(2e-4);
      expect(share).toBeLessThanOrEqual(1e-4);
      expect(labels.size).toEqual(reference.size);
      expect(labels.data).toBeInstanceOf(Uint8Array);
      labels.affine.forEach((v, i) => expect(v).toBeCloseTo(reference.affine[i]!, 4));
    }
  });
}
