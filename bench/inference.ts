/**
 * A whole prediction of a golden nnU-Net v2 model, m1 unless another is named: processor seconds on two threads, and
 * how many voxels differ from nnU-Net's own segmentation.
 *
 *     npx esbuild bench/inference.ts --bundle --platform=node --format=esm --packages=external --outfile=cache/bench.mjs
 *     node cache/bench.mjs m2
 *
 * Needs ../shared beside the project.
 */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertModel } from "../tasks/lib/inference/convert.ts";
import { predictCase } from "../tasks/lib/inference/predict.ts";
import { readLabels } from "../tasks/lib/volume/nifti.ts";

const name = process.argv[2] ?? "m1";
const folder = fileURLToPath(new URL(`../../shared/golden/04_nnunet_v2/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as {
  readonly step: number;
  readonly cases: Record<string, { readonly files: string[] }>;
};
const model = mkdtempSync(join(tmpdir(), "model-"));
await convertModel(folder, model);
for (const [id, { files }] of Object.entries(expected.cases)) {
  const images = files.map((file) => `${folder}/${file}`);
  const before = process.cpuUsage();
  const labels = await predictCase(model, images, { step: expected.step, threads: 2 });
  const { user, system } = process.cpuUsage(before);
  const { data } = await readLabels(`${folder}/expected/${id}_seg_float32.nii.gz`);
  let differing = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== labels.data[i]) differing++;
  console.log(
    `${name}/${id}: ${((user + system) / 1e6).toFixed(1)} s, ${differing} of ${data.length} voxels differ`,
  );
}
