/** Volumes that are not NIfTI, through the commands that a user runs: results equal those of the same volumes as NIfTI. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { toCanonical } from "../../tasks/study/volume/orient.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";
import type { CliProject } from "../helpers/cli.ts";
import { writeDicomSeries } from "../helpers/dicom.ts";
import { shared } from "../helpers/shared.ts";
import { copiedExample } from "./copied-example.ts";
import { ran, SMALL, trainProject } from "./train-project.ts";

const bytesOf = ({ data }: Volume) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const TYPES = {
  Int16Array: ["short", "MET_SHORT"],
  Uint8Array: ["uchar", "MET_UCHAR"],
  Uint16Array: ["ushort", "MET_USHORT"],
};
const typeOf = ({ data }: Volume) => TYPES[data.constructor.name as keyof typeof TYPES];
const column = ({ affine }: Volume, axis: number) => [affine[axis]!, affine[4 + axis]!, affine[8 + axis]!];

/** As 3D Slicer writes it: RAS here, gzip, one file. */
function writeNrrd(path: string, volume: Volume): void {
  const vectors = [0, 1, 2].map((axis) => `(${column(volume, axis).join(",")})`).join(" ");
  const header = [
    ...["NRRD0004", `type: ${typeOf(volume)[0]}`, "dimension: 3", "space: right-anterior-superior"],
    ...[`sizes: ${volume.size.join(" ")}`, `space directions: ${vectors}`, "endian: little"],
    ...["encoding: gzip", `space origin: (${column(volume, 3).join(",")})`, "", ""],
  ];
  writeFileSync(path, Buffer.concat([Buffer.from(header.join("\n")), gzipSync(bytesOf(volume))]));
}

/** As SimpleITK writes it: LPS, a header and its voxels. */
function writeMeta(folder: string, name: string, volume: Volume): void {
  const lps = (axis: number) => column(volume, axis).map((mm, i) => (i < 2 ? -mm : mm));
  const unit = [0, 1, 2].flatMap((axis) => lps(axis).map((mm) => mm / volume.spacing[axis]!));
  const header = [
    ...["ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False"],
    ...["CompressedData = True", `TransformMatrix = ${unit.join(" ")}`, `Offset = ${lps(3).join(" ")}`],
    ...[`ElementSpacing = ${volume.spacing.join(" ")}`, `DimSize = ${volume.size.join(" ")}`],
    ...[`ElementType = ${typeOf(volume)[1]}`, `ElementDataFile = ${name}.zraw`, ""],
  ];
  writeFileSync(`${folder}/${name}.mhd`, header.join("\n"));
  writeFileSync(`${folder}/${name}.zraw`, deflateSync(bytesOf(volume)));
}

/** Replaces a NIfTI file by another format. */
async function replace(project: CliProject, place: string, write: (volume: Volume) => void): Promise<void> {
  const path = project.path(`${place}.nii.gz`);
  const volume = await readNifti(path);
  rmSync(path);
  write(volume);
}

test("train and score: a DICOM series, NRRD and MetaImage give what NIfTI gives", async () => {
  const training = { ...SMALL.training, epochs: 1, batches: 2 };
  const project = await trainProject({ ...SMALL, training });
  // DICOM has whole Hounsfield units; its slices run from head to foot along the last axis.
  for (const id of ["a", "b", "c"]) {
    const path = project.path(`images/${id}.nii.gz`);
    const { data, ...grid } = await readNifti(path);
    await writeNifti(path, { ...grid, data: Int16Array.from(data, Math.round) });
  }
  await project.built("plan/split.json", ...["a", "b", "c"].flatMap(prepared));
  const split = project.read("plan/split.json");
  const before = await readAll(project);

  await replace(project, "images/a", (volume) => writeDicomSeries(project.path("images/a"), volume));
  await replace(project, "images/b", (volume) => writeMeta(project.path("images"), "b", volume));
  await replace(project, "images/c", (volume) => writeNrrd(project.path("images/c.nrrd"), volume));
  await replace(project, "labels/a", (volume) => writeNrrd(project.path("labels/a.nrrd"), volume));
  await replace(project, "labels/b", (volume) => writeMeta(project.path("labels"), "b", volume));
  project.write("images/._d.nii.gz", "macOS");
  project.write("images/d_0001.nii.gz", "a second channel");
  project.write("labels/notes.txt", "notes");
  const tasks = ran(await project.json("build"));
  expect(tasks.filter((task) => task.startsWith("convert-volume:"))).toEqual(
    ["images/a", "images/b", "images/c", "labels/a", "labels/b"].map((id) => `convert-volume:${id}`),
  );
  const { stdout } = await project.lq("log", "cases");
  expect(stdout.split("\n").filter((line) => line.includes("warning"))).toEqual([
    expect.stringMatching(/^.*images\/: passed over 1 file, such as d_0001\.nii\.gz; expected are \.nii/),
    expect.stringMatching(/^.*labels\/: passed over 1 file, such as notes\.txt; expected are \.nii/),
  ]);
  expect(
    (JSON.parse(project.read("plan/split.json")) as { splits: { test: string[] }[] }).splits[0]!.test,
  ).toEqual((JSON.parse(split) as { splits: { test: string[] }[] }).splits[0]!.test);
  const after = await readAll(project);
  for (const [i, { data, affine }] of after.entries()) {
    expect([...data]).toEqual([...before[i]!.data]);
    affine.forEach((value, at) => expect(Math.abs(value - before[i]!.affine[at]!)).toBeLessThan(1e-4));
  }
  expect(project.read("scores.json")).toContain('"cases"');
  // An edit of the voxels beside a header is noticed.
  const voxels = project.path("labels/b.zraw");
  writeFileSync(voxels, readFileSync(voxels).subarray(0, 40));
  const cut = await project.lq("build");
  expect(cut.code).toBe(1);
  expect(cut.stdout + cut.stderr).toMatch(
    /labels\/b\.mhd: .*(truncated|missing|more than the file can hold)/,
  );
});

const prepared = (id: string) => [`prepared/images/${id}.nii`, `prepared/labels/${id}.nii`];

async function readAll(project: CliProject): Promise<Volume[]> {
  const paths = ["a", "b", "c"].flatMap(prepared);
  return Promise.all(paths.map(async (path) => toCanonical(await readNifti(project.path(path)))));
}

const golden = shared("golden/04_nnunet_v2/m2/images/s01_0000.nii.gz");

test.skipIf(!golden)("predict: MetaImage gives the labels of the same volume as NIfTI", async () => {
  const folder = golden!.replace(/\/images\/.*/, "");
  const model = { "model/Dataset902_ToyOldPlans": `${folder}/Dataset902_ToyOldPlans` };
  const project = copiedExample("predict", { ...model, "images/s01_0000.nii.gz": golden! });
  const image = await readNifti(golden!);
  const data = Int16Array.from(image.data, Math.round);
  await writeNifti(project.path("images/s01_0000.nii.gz"), { ...image, data });
  await project.built();
  const expected = await readNifti(project.path("prediction/s01.nii.gz"));
  await replace(project, "images/s01_0000", (volume) =>
    writeMeta(project.path("images"), "s01_0000", volume),
  );
  await project.built();
  const found = await readNifti(project.path("prediction/s01.nii.gz"));
  expect(found.data).toEqual(expected.data);
  found.affine.forEach((value, i) => expect(Math.abs(value - expected.affine[i]!)).toBeLessThan(1e-4));
});
