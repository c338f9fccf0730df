/**
 * Golden set 02: good files are read as by nibabel 5.4.2, broken ones are refused.
 * Tolerances: values (hashes), shapes and codes exact; affines exact from the sform, 1e-6 from a quaternion.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readHeader, readNifti } from "../../tasks/study/volume/nifti.ts";
import { fromCanonical, orientationCode, toCanonical } from "../../tasks/study/volume/orient.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";
import { shared } from "../helpers/shared.ts";

interface Good {
  file: string;
  nifti: number;
  endian: string;
  dtype_on_disk: string;
  shape: number[];
  zooms: number[];
  scl_slope_inter_effective: [number, number];
  sform_code: number;
  qform_code: number;
  affine: number[][];
  axcodes: string;
  canonical_shape: number[];
  canonical_affine: number[][];
  canonical_axcodes: string;
  canonical_zooms: number[];
  sha256_stored_order_float64_F_order_little_endian: string;
  sha256_canonical_float64_C_order_little_endian: string;
}

interface Bad {
  file: string;
  why: string;
  desired: "reject" | "either";
}

const root = shared("golden/02_nifti_io/");

test.skipIf(root)("golden set 02 is not beside the project", () => undefined);

const list = <T>(file: string) =>
  root ? (JSON.parse(readFileSync(root + file, "utf8")) as { files: T[] }).files : [];

test.for(list<Good>("expected_good.json"))("good/$file", async (expected) => {
  const path = `${root}good/${expected.file}`;
  const header = await readHeader(path);
  expect(header.version).toBe(expected.nifti);
  expect(header.littleEndian).toBe(expected.endian === "<");
  expect(header.type.name).toBe(expected.dtype_on_disk);
  expect(header.shape).toEqual(expected.shape);
  expect([header.scaling.slope, header.scaling.intercept]).toEqual(expected.scl_slope_inter_effective);
  expect([header.sformCode, header.qformCode]).toEqual([expected.sform_code, expected.qform_code]);
  expect(header.spacing).toEqual(expected.zooms.slice(0, 3));
  expectAffine(header.affine, expected.affine.flat(), header.sformCode > 0 ? 0 : 1e-6);
  expect(orientationCode(header.affine)).toBe(expected.axcodes);

  const frames = expected.shape.slice(3).reduce((a, b) => a * b, 1);
  const volumes: Volume[] = [];
  for (let frame = 0; frame < frames; frame++) volumes.push(await readNifti(path, { frame }));
  const stored = Buffer.concat(volumes.map((v) => doubles(v.data)));
  const nibabelHash = expected.sha256_stored_order_float64_F_order_little_endian;
  if (expected.file === "vox_offset_0.nii") return expectVoxelsAfterHeader(path, stored, nibabelHash);
  expect(sha256(stored)).toBe(nibabelHash);

  const canonical = volumes.map(toCanonical);
  const first = canonical[0]!;
  expect(first.size).toEqual(expected.canonical_shape.slice(0, 3));
  expect(first.spacing).toEqual(expected.canonical_zooms.slice(0, 3));
  expect(orientationCode(first.affine)).toBe(expected.canonical_axcodes);
  expectAffine(first.affine, expected.canonical_affine.flat(), 1e-6);
  expect(sha256(cOrder(canonical))).toBe(expected.sha256_canonical_float64_C_order_little_endian);

  const back = fromCanonical(first, volumes[0]!);
  expect(back.data).toEqual(volumes[0]!.data);
  expect([back.size, back.spacing]).toEqual([volumes[0]!.size, volumes[0]!.spacing]);
  expectAffine(back.affine, header.affine, 1e-9);
});

test.for(list<Bad>("expected_bad.json"))("bad/$file: $why", async ({ file, desired }) => {
  const path = `${root}bad/${file}`;
  const outcome = await readNifti(path).then(
    (volume) => volume,
    (error: unknown) => error as Error,
  );
  if (desired === "reject") expect(outcome).toBeInstanceOf(Error);
  if (outcome instanceof Error) {
    expect(outcome.message.startsWith(`${path}: `)).toBe(true);
    expect(outcome.message.length).toBeGreaterThan(path.length + 20);
  } else {
    expect(outcome.affine.every(Number.isFinite)).toBe(true);
    expect(outcome.spacing.every((s) => s > 0)).toBe(true);
  }
});

/**
 * The one intended difference. With vox_offset 0 nibabel reads the header's own bytes as voxels, as its hash shows. By
 * the format and the set's description the voxels come after the header's 352 bytes, and lq reads them there.
 */
function expectVoxelsAfterHeader(path: string, stored: Buffer, nibabelHash: string): void {
  const file = readFileSync(path);
  const int16 = (from: number) => {
    const bytes = Uint8Array.from(file.subarray(from, from + stored.length / 4));
    return doubles(new Int16Array(bytes.buffer));
  };
  expect(sha256(int16(0))).toBe(nibabelHash);
  expect(stored.equals(int16(352))).toBe(true);
}

function expectAffine(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function doubles(values: ArrayLike<number>): Buffer {
  return Buffer.from(Float64Array.from(values).buffer);
}

/** The values with the last index (the frame if there are several, else z) fastest. */
function cOrder(frames: readonly Volume[]): Buffer {
  const [nx, ny, nz] = frames[0]!.size;
  const values: number[] = [];
  for (let x = 0; x < nx; x++)
    for (let y = 0; y < ny; y++)
      for (let z = 0; z < nz; z++) for (const { data } of frames) values.push(data[x + nx * (y + ny * z)]!);
  return doubles(values);
}
