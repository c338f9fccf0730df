import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { affineOfQForm } from "../../tasks/study/volume/affine.ts";
import { openNifti, readHeader, readLabels, readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import type { LabelVolume, Volume, VoxelArray } from "../../tasks/study/volume/volume.ts";
import { testFolder } from "../helpers/folder.ts";

const folder = testFolder();
const path = (name: string) => join(folder, name);

/** A rotation about a skew axis, with voxels of 0.75×0.75×2.5 mm. */
const spacing = [0.75, 0.75, 2.5] as const;
const affine = affineOfQForm({ quaternion: [0.1, 0.2, -0.3], qfac: -1, offset: [-12.5, 40, 7] }, spacing).map(
  Math.fround,
);

function volumeOf<D extends VoxelArray>(data: D): Volume<D> {
  return { data, size: [5, 4, 3], spacing, affine };
}

const counting = Int16Array.from({ length: 60 }, (_, i) => 7 * i - 100);

test.each([
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
])("%o comes back as it was written", async (array) => {
  const data = new array(60);
  counting.forEach((v, i) => (data[i] = Math.abs(v) % 120));
  const volume = volumeOf<VoxelArray>(data);
  for (const name of [`${array.name}.nii`, `${array.name}.nii.gz`]) {
    await writeNifti(path(name), volume);
    expect(await readNifti(path(name))).toEqual(volume);
  }
});

test("equal volumes give equal bytes at any time", async () => {
  await writeNifti(path("a.nii.gz"), volumeOf(counting));
  await writeNifti(path("b.nii.gz"), volumeOf(counting));
  const bytes = readFileSync(path("a.nii.gz"));
  expect(bytes.equals(readFileSync(path("b.nii.gz")))).toBe(true);
  expect(bytes.readUInt32LE(4)).toBe(0); // the time in gzip's header
});

test("sform and qform both have the affine", async () => {
  await writeNifti(path("forms.nii"), volumeOf(counting));
  const header = await readHeader(path("forms.nii"));
  expect([header.sformCode, header.qformCode]).toEqual([1, 1]);
  const qform = affineOfQForm(header.qform, header.spacing);
  qform.forEach((value, i) => expect(value).toBeCloseTo(affine[i]!, 5));
});

test("a sheared volume has no qform", async () => {
  const sheared = affine.map((value, i) => (i === 1 ? value + 0.2 : value));
  await writeNifti(path("shear.nii"), { ...volumeOf(counting), affine: sheared });
  const header = await readHeader(path("shear.nii"));
  expect([header.sformCode, header.qformCode]).toEqual([1, 0]);
});

test("like: sform and qform of the input are kept", async () => {
  await writeNifti(path("input.nii"), volumeOf(counting));
  const bytes = readFileSync(path("input.nii"));
  bytes.writeInt16LE(2, 252); // qform code: aligned to another scan
  bytes.writeInt16LE(0, 254); // no sform
  writeFileSync(path("input.nii"), bytes);
  const input = await readNifti(path("input.nii"));
  const like = await readHeader(path("input.nii"));
  const labels: LabelVolume = { ...input, data: new Uint8Array(60) };

  await writeNifti(path("output.nii"), labels, { like });
  const output = await readHeader(path("output.nii"));
  expect([output.sformCode, output.qformCode, output.qform]).toEqual([0, 2, like.qform]);
  expect(output.affine).toEqual(like.affine);

  await writeNifti(path("elsewhere.nii"), { ...labels, affine }, { like });
  expect((await readHeader(path("elsewhere.nii"))).sformCode).toBe(1);
});

test("labels of any type become 8 bits, or 16 bits if they need them", async () => {
  await writeNifti(path("labels.nii"), volumeOf(Float64Array.from(counting, (_, i) => (i % 3) + 1e-4)));
  const { data } = await readLabels(path("labels.nii"));
  expect(data).toEqual(Uint8Array.from(counting, (_, i) => i % 3));
  await writeNifti(path("labels.nii"), volumeOf(Int32Array.from(counting, (_, i) => (i === 9 ? 300 : 1))));
  expect((await readLabels(path("labels.nii"))).data).toBeInstanceOf(Uint16Array);
});

test.each([
  ["negative", Int16Array.from(counting, (_, i) => (i === 4 ? -1 : 0)), "voxel (4, 0, 0) is -1"],
  ["fraction", Float32Array.from(counting, (_, i) => (i === 4 ? 2.5 : 0)), "voxel (4, 0, 0) is 2.5"],
  ["NaN", Float32Array.from(counting, (_, i) => (i === 4 ? NaN : 0)), "voxel (4, 0, 0) is NaN"],
  ["beyond 16 bits", Int32Array.from(counting, (_, i) => (i === 4 ? 65536 : 0)), "voxel (4, 0, 0) is 65536"],
])("a label map with a value that is %s is refused", async (name, data, message) => {
  const file = path(`${name}.nii.gz`);
  await writeNifti(file, volumeOf(data));
  await expect(readLabels(file)).rejects.toThrow(`${file}: ${message}`);
});

test("an error names its file", async () => {
  await expect(readNifti(path("none.nii.gz"))).rejects.toThrow(
    `${path("none.nii.gz")}: there is no such file`,
  );
  await expect(readHeader(folder)).rejects.toThrow("it is a folder");
  await writeNifti(path("cut.nii.gz"), volumeOf(counting));
  writeFileSync(path("cut.nii.gz"), readFileSync(path("cut.nii.gz")).subarray(0, -20));
  await expect(readNifti(path("cut.nii.gz"))).rejects.toThrow(
    `${path("cut.nii.gz")}: the gzip stream ends too early`,
  );
});

test("one chosen volume of a 4D file is read", async () => {
  await writeNifti(path("frames.nii"), { ...volumeOf(counting), size: [5, 4, 3] });
  const bytes = readFileSync(path("frames.nii"));
  bytes.writeInt16LE(4, 40);
  bytes.writeInt16LE(2, 48);
  writeFileSync(path("frames.nii.gz"), gzipSync(Buffer.concat([bytes, Buffer.alloc(120, 1)])));
  await expect(readNifti(path("frames.nii.gz"))).rejects.toThrow("it holds 2 volumes (5×4×3×2)");
  await expect(readNifti(path("frames.nii.gz"), { frame: 2 })).rejects.toThrow("there is no volume 2");
  expect((await readNifti(path("frames.nii.gz"), { frame: 0 })).data).toEqual(counting);
  expect((await readNifti(path("frames.nii.gz"), { frame: 1 })).data).toEqual(new Int16Array(60).fill(257));
});

test("scaled values get the narrowest exact type, or float32 if asked for", async () => {
  await writeNifti(path("scaled.nii"), volumeOf(counting));
  const bytes = readFileSync(path("scaled.nii"));
  const rescale = async (slope: number, intercept: number, float32 = false) => {
    bytes.writeFloatLE(slope, 112);
    bytes.writeFloatLE(intercept, 116);
    writeFileSync(path("scaled.nii"), bytes);
    return (await readNifti(path("scaled.nii"), { float32 })).data;
  };
  expect(await rescale(1, -1024)).toEqual(Int32Array.from(counting, (v) => v - 1024));
  expect(await rescale(0.5, 3)).toEqual(Float32Array.from(counting, (v) => v / 2 + 3));
  const slope = Math.fround(0.1);
  expect(await rescale(0.1, 0)).toEqual(Float64Array.from(counting, (v) => v * slope));
  expect(await rescale(0.1, 0, true)).toEqual(Float32Array.from(counting, (v) => v * slope));
});

test("boxes are read from disk", async () => {
  await writeNifti(path("box.nii"), volumeOf(counting));
  const file = await openNifti(path("box.nii"));
  expect(file.size).toEqual([5, 4, 3]);
  const box = await file.read({ start: [1, 2, 1], size: [3, 2, 2] });
  const at = (x: number, y: number, z: number) => counting[x + 5 * (y + 4 * z)]!;
  const expected = [1, 2].flatMap((z) => [2, 3].flatMap((y) => [1, 2, 3].map((x) => at(x, y, z))));
  expect([...box]).toEqual(expected);
  expect(await file.read({ start: [0, 0, 0], size: [5, 4, 3] })).toEqual(counting);
  await expect(file.read({ start: [3, 0, 0], size: [3, 1, 1] })).rejects.toThrow(
    "a box of 3×1×1 at 3, 0, 0 does not lie within 5×4×3",
  );
  await file.close();
});

test("boxes of a compressed or a short file are refused", async () => {
  await writeNifti(path("box.nii.gz"), volumeOf(counting));
  await expect(openNifti(path("box.nii.gz"))).rejects.toThrow("uncompressed");
  writeFileSync(path("short.nii"), gunzipSync(readFileSync(path("box.nii.gz"))).subarray(0, -1));
  await expect(openNifti(path("short.nii"))).rejects.toThrow("states 5×4×3 voxels of int16");
});
