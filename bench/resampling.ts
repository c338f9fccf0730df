/**
 * Resamples a real CT by cubic splines, from 3 mm to 1.5 mm and to 5 mm, and compares with scikit-image's resize
 * (resize_skimage.py). Shows CPU and wall seconds on one thread and on two, and the greatest difference in HU.
 *
 * Needs ../shared beside the project. Without a Python that has scikit-image, it shows only lq's times.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resampleCrew } from "../tasks/study/resample/crew.ts";
import { resampleImageArray, targetShape } from "../tasks/study/resample/nnunet.ts";
import { readNifti } from "../tasks/study/volume/nifti.ts";
import { runPython } from "./lib/python.ts";
import { least, ratio, type Seconds, text } from "./lib/seconds.ts";

const runs = 3;
const ct = fileURLToPath(new URL("../../shared/data/totalsegmentator/abdomen3mm_ct.nii.gz", import.meta.url));
const volume = await readNifti(ct);
const data = Float32Array.from(volume.data);
const shape = [volume.size[2], volume.size[1], volume.size[0]] as const;
const scratch = mkdtempSync(join(tmpdir(), "lq-bench-"));
const [image, out] = [join(scratch, "image"), join(scratch, "out")];
writeFileSync(image, data);
const crew = resampleCrew(2);
for (const spacing of [0.8, 1.5, 5]) {
  const newShape = targetShape(shape, [3, 3, 3], [spacing, spacing, spacing]);
  const options = { separate: null, result: Float32Array };
  const ours = await least(runs, () => resampleImageArray(data, shape, newShape, options));
  const two = await least(runs, () => resampleImageArray(data, shape, newShape, { ...options, crew }));
  console.log(`${shape.join("×")} to ${newShape.join("×")}: lq ${text(ours)}; two threads ${text(two)}`);
  const skimage = runPython<Seconds>("resize_skimage.py", ["skimage"], { image, out, shape, newShape, runs });
  if (skimage === null) continue;
  const theirs = new Float32Array(readFileSync(out).buffer);
  const difference = ours.result.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs[i]!)), 0);
  console.log(
    `  skimage ${text(skimage)}; lq ÷ skimage ${ratio(ours, skimage)}, two threads ${ratio(two, skimage)}; within ${difference.toExponential(1)} HU`,
  );
}
await crew.close();
rmSync(scratch, { recursive: true });
