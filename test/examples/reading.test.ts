/** Volumes with wrong voxels or a wrong geometry, through the commands that a user runs. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import type { CliProject } from "../helpers/cli.ts";
import { shared } from "../helpers/shared.ts";
import { copiedExample } from "./copied-example.ts";
import { SMALL, setParams, trainProject } from "./train-project.ts";

const SIZE = [28, 28, 20] as const;
const SPACING = [1.5, 1.5, 2] as const;
const AFFINE = [-1.5, 0, 0, 20, 0, 1.5, 0, -20, 0, 0, 2, 5, 0, 0, 0, 1];

/** Two boxes as organs; `shift` moves the first one along x. */
function boxes(shift: number): Uint8Array {
  const data = new Uint8Array(SIZE[0] * SIZE[1] * SIZE[2]);
  for (let z = 4; z < 14; z++)
    for (let y = 5; y < 20; y++)
      for (let x = 3; x < 24; x++)
        data[x + SIZE[0] * (y + SIZE[1] * z)] = x < 12 + shift ? 1 : x > 14 ? 2 : 0;
  return data;
}

async function scoreProject(
  affine: readonly number[],
  spacing: typeof SPACING | readonly [number, number, number],
) {
  const project = copiedExample("score", {});
  const params = project.read("params.yaml").replace(/^labels:\n(?: .*\n)+/m, "labels: { a: 1, b: 2 }\n");
  project.write("params.yaml", params);
  for (const [folder, shift] of [
    ["reference", 0],
    ["prediction", 1],
  ] as const) {
    // prettier-ignore
    project.write(`${folder}/.keep`, "");
    const volume = { data: boxes(shift), size: SIZE, spacing, affine };
    await writeNifti(project.path(`${folder}/c.nii.gz`), volume);
  }
  return project;
}

const organs = (project: CliProject) =>
  (JSON.parse(project.read("scores/c.json")) as { organs: { a: { surface_dice: number; hd95: number } } })
    .organs;

/** Writes another value over the spacing (pixdim) of a file and leaves its affine. */
function setPixdim(path: string, spacing: readonly number[]): void {
  const bytes = gunzipSync(readFileSync(path));
  spacing.forEach((mm, axis) => bytes.writeFloatLE(mm, 80 + 4 * axis));
  writeFileSync(path, gzipSync(bytes));
}

test("score: a header's spacing that contradicts the affine changes no score, and the log names both", async () => {
  const sound = await scoreProject(AFFINE, SPACING);
  await sound.built();
  const odd = await scoreProject(AFFINE, SPACING);
  for (const folder of ["reference", "prediction"]) setPixdim(odd.path(`${folder}/c.nii.gz`), [3, 3, 1]);
  await odd.built();
  expect(organs(odd)).toEqual(organs(sound));
  const { stdout } = await odd.lq("log", "score:c");
  expect(stdout).toContain(
    "states a spacing of 3×3×1 mm, but its affine has 1.5×1.5×2 mm; lq takes the affine's",
  );

  odd.write("params.yaml", odd.read("params.yaml").replace("spacing: affine", "spacing: header"));
  await odd.built();
  expect(organs(odd).a.hd95).toBe(2 * organs(sound).a.hd95);
});

test("score: sheared axes are refused by name and angle, or accepted if the setting says so", async () => {
  const sheared = AFFINE.with(1, 0.3);
  const project = await scoreProject(sheared, SPACING);
  const { code, stdout, stderr } = await project.lq("build");
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/c\.nii\.gz: its axes x and y are at \d+\.\d+°, not at right angles/);
  expect((await project.lq("build", "--set", "reading.shear=accept")).code).toBe(0);
});

test("train: images and labels on different grids are refused by name; a setting allows a larger distance", async () => {
  const project = await trainProject(SMALL);
  const path = project.path("labels/b.nii.gz");
  const labels = await readNifti(path);
  const mirrored = labels.affine.with(0, -labels.affine[0]!).with(3, -labels.affine[3]!);
  await writeNifti(path, { ...labels, affine: mirrored });
  const refused = await project.lq("build", "plan/split.json");
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toMatch(
    /b: labels: its voxels lie up to \d.* mm from those of image/,
  );

  await writeNifti(path, { ...labels, affine: labels.affine.with(3, labels.affine[3]! + 0.1) });
  expect((await project.lq("build", "plan/split.json")).code).toBe(1);
  expect((await project.lq("build", "plan/split.json", "--set", "reading.grid_tolerance=0.1")).code).toBe(0);
});

test("train: a voxel that is not finite is refused by place, or replaced", async () => {
  const project = await trainProject(SMALL);
  const path = project.path("images/c.nii.gz");
  const image = await readNifti(path);
  const data = Float32Array.from(image.data);
  const [nx, ny] = image.size;
  data[3 + nx * (4 + ny * 5)] = NaN;
  data[4 + nx * (4 + ny * 5)] = Infinity;
  await writeNifti(path, { ...image, data });
  const refused = await project.lq("build", "plan/split.json");
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain(
    `c: image: 2 of ${data.length} voxels are not finite; the first, (3, 4, 5), is NaN`,
  );
  setParams(project, { ...SMALL, reading: { ...SMALL.reading, nonfinite: "min" } });
  await project.built("prepared/images/c.nii");
  expect((await readNifti(project.path("prepared/images/c.nii"))).data.every(Number.isFinite)).toBe(true);
});

test("train and score: the label ignore is not a class, and its voxels do not count", async () => {
  const project = await trainProject({ ...SMALL, labels: { ...SMALL.labels, ignore: 9 } });
  // Only a part of the spleen (40) is labelled: half of it is ignored in every case.
  for (const id of ["a", "b", "c", "d", "e"]) {
    const path = project.path(`labels/${id}.nii.gz`);
    const labels = await readNifti(path);
    await writeNifti(path, { ...labels, data: labels.data.map((v, i) => (v === 40 && i % 2 === 0 ? 9 : v)) });
  }
  await project.built("scores.json", "plan/stats.json");
  const stats = JSON.parse(project.read("plan/stats.json")) as { labels: object; ignore: number };
  expect(stats).toMatchObject({ labels: { liver: 700, "right kidney": 6, spleen: 40 }, ignore: 9 });
  const scores = JSON.parse(project.read("scores.json")) as { cases: { case: string; organs: object }[] };
  for (const { organs } of scores.cases)
    expect(Object.keys(organs)).toEqual(["right kidney", "spleen", "liver"]);
  const [held] = scores.cases;
  const truth = (await readNifti(project.path(`labels/${held!.case}.nii.gz`))).data;
  const found = (await readNifti(project.path(`predictions/${held!.case}.nii.gz`))).data;
  let [both, sum] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === 9) continue;
    sum += Number(truth[i] === 40) + Number(found[i] === 40);
    both += Number(truth[i] === 40 && found[i] === 40);
  }
  expect(held!.organs).toMatchObject({ spleen: { dice: (2 * both) / sum } });
});

test("settings that make no sense are refused, and each error says what is expected", async () => {
  const refused = async (example: string, set: string) => {
    const project = copiedExample(example, {});
    for (const folder of ["reference", "prediction", "images", "labels", "model"])
      project.write(`${folder}/.keep`, "");
    const names = { score: ["reference/a", "prediction/a"], train: ["images/a", "labels/a"] }[example] ?? ["images/a_0000", "reference/a"]; // prettier-ignore
    for (const name of names) project.write(`${name}.nii.gz`, "");
    const { code, stderr } = await project.lq("build", "--set", set);
    return `${code} ${stderr}`;
  };
  expect(await refused("score", "tolerance=1mm")).toMatch(
    /^2 .*expected a number of 0 or more \(without a unit\)/s,
  );
  expect(await refused("medsam", "window=[240, -160]")).toMatch(/^2 .*expected a lower and a higher number/s);
  expect(await refused("train", "normalisation.clip=[240, 240]")).toMatch(/^2 .*not \[240,240\]/s);
  expect(await refused("train", "training.augmentation.scale=[1.2, 0.8]")).toMatch(
    /^2 .*least and the greatest factor/s,
  );
  expect(await refused("train", "spacing=1mm")).toMatch(/^2 .*expected auto, or three numbers/s);
  expect(await refused("predict", "folds=first")).toMatch(/^2 .*expected auto, all .* or a list of folds/s);
  expect(await refused("predict", "step=2")).toMatch(/^2 .*expected number to be <=1/s);
});

const golden = shared("golden/04_nnunet_v2/m2/images/s01_0000.nii.gz");

test.skipIf(!golden)("predict: a voxel that is not finite is refused, or replaced", async () => {
  const folder = golden!.replace(/\/images\/.*/, "");
  const project = copiedExample("predict", {
    "model/Dataset902_ToyOldPlans": `${folder}/Dataset902_ToyOldPlans`,
  });
  project.write("images/.keep", "");
  cpSync(golden!, project.path("images/s01_0000.nii.gz"));
  const image = await readNifti(golden!);
  const data = Float32Array.from(image.data);
  const clean = data.with(100, Math.min(...data));
  await writeNifti(project.path("images/s01_0000.nii.gz"), { ...image, data: clean });
  project.write("images/._s01_0000.nii.gz", "macOS");
  project.write("images/notes.txt", "");
  await project.built();
  expect((await project.lq("log", "cases")).stdout).toContain(
    "warning: images/: passed over 1 file, such as notes.txt; expected are .nii, .nii.gz, .nrrd",
  );
  const expected = (await readNifti(project.path("prediction/s01.nii.gz"))).data;

  await writeNifti(project.path("images/s01_0000.nii.gz"), { ...image, data: data.with(100, NaN) });
  const refused = await project.lq("build");
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toContain("s01_0000.nii.gz: 1 of ");
  expect((await project.lq("build", "--set", "reading.nonfinite=min")).code).toBe(0);
  expect((await readNifti(project.path("prediction/s01.nii.gz"))).data).toEqual(expected);
});
