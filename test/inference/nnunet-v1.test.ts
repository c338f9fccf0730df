import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { exportLabels } from "../../tasks/study/inference/export.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { preprocess } from "../../tasks/study/inference/preprocess.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { differing, greatestDifference, joined } from "./golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

const root = shared("golden/08_nnunet_v1_stunet");

for (const name of ["a_stunet_small", "c_generic_unet"]) {
  test.skipIf(!root)(`${name}: every stage of nnU-Net v1 and the labels`, async () => {
    const all = JSON.parse(readFileSync(`${root}/expected.json`, "utf8")) as Record<string, { case: string }>;
    const id = all[name]!.case;
    const folder = `${root}/${name}`;
    const out = testFolder();
    await convertModel(folder, out);
    const model = await readModel(out);
    if (model.kind !== "nnunet") throw new Error("recognised as something else");
    const volume = await readNifti(`${folder}/images/${id}_0000.nii.gz`);
    const golden = await readNpz(`${folder}/expected/${id}.npz`);

    const input = await preprocess(model, [volume]);
    const preprocessed = greatestDifference(input.data, golden.get("preprocessed")!.data);
    for (const backend of backends) {
      const softmax = await predictPreprocessed(out, model, input, { threads: 2, backend });
      const merged = greatestDifference(joined(softmax), golden.get("merged_softmax")!.data);
      const labels = await exportLabels(model, softmax, input, volume);
      const reference = await readLabels(`${folder}/expected/${id}_seg.nii.gz`);
      const share = differing(labels.data, reference.data);
      console.info(
        `${name} on ${backend}: preprocessed ${preprocessed.toExponential(1)}, merged softmax ${merged.toExponential(1)}, ` +
          `${share * reference.data.length} of ${reference.data.length} voxels differ`,
      );
      // Ten times the measured differences.
      expect(preprocessed).toBeLessThan(1e-5);
      expect(merged).toBeLessThan(2e-5);
      expect(share).toBe(0);
      expect(labels.size).toEqual(reference.size);
    }
  });
}
