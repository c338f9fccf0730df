/** Volumes with wrong voxels or a wrong geometry in the study's own graph: the same words as in the examples. */
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { tinyStudy } from "./tiny-study.ts";

const IMAGE = "ct/btcv/RawData/Training/img/img0001.nii.gz";
const LABEL = "ct/btcv/RawData/Training/label/label0001.nii.gz";

test("NaN, a spacing that contradicts the affine, shear, labels on another grid: refused or named", async () => {
  const project = await tinyStudy();
  const build = async (...words: string[]) => {
    const { code, stdout, stderr } = await project.lq("build", "data/btcv.json", ...words);
    return `${code} ${stdout}${stderr}`;
  };
  const whole = readFileSync(project.path(IMAGE));
  const image = await readNifti(project.path(IMAGE));
  const labels = await readNifti(project.path(LABEL));
  expect(await build()).toMatch(/^0 /);
  const stats = project.read("stats/btcv.json");

  // A voxel that is not a number: refused by place, or replaced.
  const data = Float32Array.from(image.data);
  data[3 + image.size[0] * (2 + image.size[1])] = NaN;
  await writeNifti(project.path(IMAGE), { ...image, data });
  expect(await build()).toMatch(
    /^1 [^]*0001: RawData\/Training\/img\/img0001\.nii\.gz: 1 of \d+ voxels are not finite; the first, \(3, 2, 1\), is NaN/,
  );
  expect(await build("--set", "reading.nonfinite=min")).toMatch(/^0 /);
  expect(project.read("data/btcv.json")).toContain("1 of 1120 voxels are not finite");

  // Another spacing in the header: the affine counts, and the manifest warns.
  const odd = gunzipSync(whole);
  [9, 9, 9].forEach((mm, axis) => odd.writeFloatLE(mm, 80 + 4 * axis));
  writeFileSync(project.path(IMAGE), gzipSync(odd));
  expect(await build()).toMatch(/^0 /);
  expect(project.read("data/btcv.json")).toMatch(
    /img0001\.nii\.gz: its header states a spacing of 9×9×9 mm, but its affine has/,
  );
  expect(project.read("stats/btcv.json")).toBe(stats);

  // Axes that are not at right angles.
  await writeNifti(project.path(IMAGE), { ...image, affine: image.affine.with(1, 0.5) });
  expect(await build()).toMatch(
    /^1 [^]*img0001\.nii\.gz: its axes x and y are at \d+\.\d+°, not at right angles/,
  );

  // Labels that are mirrored against their image, or a little apart.
  writeFileSync(project.path(IMAGE), whole);
  const { affine } = labels;
  await writeNifti(project.path(LABEL), {
    ...labels,
    affine: affine.with(0, -affine[0]!).with(3, -affine[3]!),
  });
  expect(await build()).toMatch(
    /^1 [^]*label0001\.nii\.gz: its voxels lie up to \d.* mm from those of RawData.*img0001/,
  );
  await writeNifti(project.path(LABEL), { ...labels, affine: affine.with(3, affine[3]! + 0.1) });
  expect(await build()).toMatch(/^1 /);
  expect(await build("--set", "reading.grid_tolerance=0.1")).toMatch(/^0 /);

  // The study trains on no case that was refused, and predicts none.
  const { code } = await project.lq("build", "checkpoints/btcv/base.safetensors");
  expect(code).toBe(1);
  expect(project.has("checkpoints/btcv/base.safetensors")).toBe(false);
});
