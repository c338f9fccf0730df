/**
 * Predictions of golden nnU-Net v2 models, m2 and m4 unless others are named: CPU and wall seconds of the network's
 * passes over all windows and mirrorings beside the same in PyTorch (inference_torch.py) with as many threads, then
 * of the whole prediction, and how many voxels differ from nnU-Net's own segmentation.
 *
 *     npm run bench -- inference -- m1
 *
 * Needs ../shared beside the project; without a Python that has torch and scipy, only lq's times are shown.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertModel } from "../tasks/lib/inference/convert.ts";
import type { NetworkModel } from "../tasks/lib/inference/model.ts";
import { predictCase } from "../tasks/lib/inference/predict.ts";
import { predictPreprocessed, readModel } from "../tasks/lib/inference/predict-nnunet.ts";
import { preprocess } from "../tasks/lib/inference/preprocess.ts";
import { readLabels, readNifti } from "../tasks/lib/volume/nifti.ts";
import { toCanonical } from "../tasks/lib/volume/orient.ts";
import { runPython } from "./lib/python.ts";
import { least, ratio, type Seconds, text } from "./lib/seconds.ts";

const threads = 2;
const runs = 2;
const golden = fileURLToPath(new URL("../../shared/golden/04_nnunet_v2", import.meta.url));
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ["m2", "m4"]) await compare(name);

async function compare(name: string): Promise<void> {
  const folder = join(golden, name);
  const { step, cases } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as {
    readonly step: number;
    readonly cases: Record<string, { readonly files: string[] }>;
  };
  const scratch = mkdtempSync(join(tmpdir(), "lq-bench-"));
  await convertModel(folder, scratch);
  const model = (await readModel(scratch)) as NetworkModel;
  const settings = { step, threads };
  for (const [id, { files }] of Object.entries(cases)) {
    const images = files.map((file) => join(folder, file));
    const volumes = await Promise.all(images.map((path) => readNifti(path)));
    const input = await preprocess(model, model.reorient ? volumes.map((v) => toCanonical(v)) : volumes);
    const first = { ...settings, folds: [model.folds[0]!.fold] };
    const ours = await least(runs, () => predictPreprocessed(scratch, model, input, first));
    console.log(`${name}/${id}, windows of fold ${first.folds[0]}: lq ${text(ours)}`);

    const [image, out] = [join(scratch, "image"), join(scratch, "logits")];
    writeFileSync(image, input.data);
    const torch = runPython<Seconds>("inference_torch.py", ["torch", "scipy"], {
      ...{ checkpoint: checkpointIn(folder), image, out, shape: input.shape, patch: model.patch },
      ...{ mirrorAxes: model.mirrorAxes, step, threads, runs },
    });
    if (torch) {
      const difference = greatest(ours.result, new Float32Array(readFileSync(out).buffer));
      console.log(`  torch ${text(torch)}; lq ÷ torch ${ratio(ours, torch)}; logits within ${difference}`);
    }

    const whole = await least(1, () => predictCase(scratch, images, settings));
    const expected = await readLabels(join(folder, `expected/${id}_seg_float32.nii.gz`));
    let differing = 0;
    for (const [i, label] of expected.data.entries()) if (label !== whole.result.data[i]) differing++;
    console.log(
      `  whole, ${model.folds.length} folds: lq ${text(whole)}, ${differing} of ${expected.data.length} voxels differ`,
    );
  }
  rmSync(scratch, { recursive: true });
}

/** Of the first fold. */
function checkpointIn(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return join(
    folder,
    files.find((file) => file.endsWith("checkpoint_final.pth"))!,
  );
}

function greatest(heads: readonly Float32Array[], flat: Float32Array): string {
  const [{ length }] = heads as [Float32Array];
  let difference = 0;
  heads.forEach((head, k) => {
    for (let i = 0; i < length; i++)
      difference = Math.max(difference, Math.abs(head[i]! - flat[k * length + i]!));
  });
  return difference.toExponential(1);
}
