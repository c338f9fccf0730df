/**
 * Parses the header of a NIfTI-1 or NIfTI-2 file and refuses an unusable one.
 * Sources: nifti1.h and nifti2.h of the NIfTI working group. Where readers differ, this one follows nibabel.
 */
import type { Triple } from "../arrays.ts";
import { affineOf, affineOfQForm, type QForm, requireAxes } from "./affine.ts";
import { type Scaling, type VoxelType, voxelType } from "./nifti-types.ts";

export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** The length of each dimension, at least three; those after z are frames. */
  readonly shape: readonly number[];
  /** pixdim without its sign: millimetres along x, y, z. May contradict the affine. */
  readonly spacing: Triple;
  /** The sform if its code is above 0, else the qform, else the spacing with x flipped and a centred origin. */
  readonly affine: readonly number[];
  readonly type: VoxelType;
  /** Slope 1 and intercept 0 if the file states no scaling (a slope of 0 or NaN). */
  readonly scaling: Scaling;
  /** Bytes before the first voxel. */
  readonly offset: number;
  readonly sformCode: number;
  readonly qformCode: number;
  readonly qform: QForm;
}

/** Bytes of the longest header. */
export const LONGEST_HEADER = 540;

/** The size of each version's header, and the places of its fields. */
const layouts = {
  1: {
    size: 348,
    magic: 344,
    dim: 40,
    datatype: 70,
    pixdim: 76,
    offset: 108,
    slope: 112,
    inter: 116,
    qcode: 252,
  },
  2: {
    size: 540,
    magic: 4,
    dim: 16,
    datatype: 12,
    pixdim: 104,
    offset: 168,
    slope: 176,
    inter: 184,
    qcode: 344,
  },
} as const;

/**
 * Parses a header.
 * @param bytes the file from its first byte on
 * @throws Error that says what makes the header unusable
 */
export function parseNiftiHeader(bytes: Uint8Array): NiftiHeader {
  const { version, littleEndian } = recognise(bytes);
  const at = layouts[version];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const one = version === 1;
  const float = (p: number) => (one ? view.getFloat32(p, littleEndian) : view.getFloat64(p, littleEndian));
  const floats = (p: number, n: number) => Array.from({ length: n }, (_, i) => float(p + i * (one ? 4 : 8)));
  const code = (i: number) =>
    one ? view.getInt16(at.qcode + 2 * i, littleEndian) : view.getInt32(at.qcode + 4 * i, littleEndian);

  const dims = Array.from({ length: 8 }, (_, i) =>
    one
      ? view.getInt16(at.dim + 2 * i, littleEndian)
      : Number(view.getBigInt64(at.dim + 8 * i, littleEndian)),
  );
  const shape = shapeOf(dims);
  const [sign = 1, ...steps] = floats(at.pixdim, 4);
  const spacing = steps.map(Math.abs) as [number, number, number];
  for (let axis = 0; axis < Math.min(3, dims[0]!); axis++) {
    if (!(spacing[axis]! > 0 && Number.isFinite(spacing[axis]))) {
      throw new Error(
        `the spacing along ${"xyz"[axis]} is ${steps[axis]}, but must be a positive number of millimetres`,
      );
    }
  }
  for (let axis = dims[0]!; axis < 3; axis++) spacing[axis] ||= 1; // a two-dimensional image may have no third spacing

  const quaternion = at.qcode + (one ? 4 : 8);
  const wide = one ? 4 : 8;
  const qform: QForm = {
    quaternion: floats(quaternion, 3) as [number, number, number],
    qfac: sign < 0 ? -1 : 1,
    offset: floats(quaternion + 3 * wide, 3) as [number, number, number],
  };
  const rows = floats(quaternion + 6 * wide, 12);
  const [qformCode, sformCode] = [code(0), code(1)];
  const offset = one ? float(at.offset) : Number(view.getBigInt64(at.offset, littleEndian));
  return {
    version,
    littleEndian,
    shape,
    spacing,
    affine: affineFrom(sformCode, qformCode, rows, qform, shape, spacing),
    type: voxelType(view.getInt16(at.datatype, littleEndian)),
    scaling: scalingOf(float(at.slope), float(at.inter)),
    offset: checkOffset(offset, at.size + 4),
    sformCode,
    qformCode,
    qform,
  };
}

/** The number of bytes of the voxels of all frames. */
export function dataBytes(header: NiftiHeader): number {
  return header.shape.reduce((a, b) => a * b, 1) * header.type.bytes;
}

function recognise(bytes: Uint8Array): { version: 1 | 2; littleEndian: boolean } {
  if (bytes.length < 4) throw new Error(`it has only ${bytes.length} bytes, less than a NIfTI header`);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    throw new Error("it is gzip-compressed, although its name does not end in .gz");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = ([1, 2] as const)
    .flatMap((version) => [true, false].map((littleEndian) => ({ version, littleEndian })))
    .find(({ version, littleEndian }) => view.getInt32(0, littleEndian) === layouts[version].size);
  if (!found)
    throw new Error("it does not begin like a NIfTI file (its first number is neither 348 nor 540)");
  const { size, magic: at } = layouts[found.version];
  if (bytes.length < size)
    throw new Error(`it ends inside the header, after ${bytes.length} bytes of ${size}`);
  const magic = String.fromCharCode(...bytes.subarray(at, at + 3));
  if (magic === "ni1" || magic === "ni2") {
    throw new Error("it is the header of a .hdr/.img pair, but lq reads only single .nii files");
  }
  if (magic !== `n+${found.version}` || bytes[at + 3] !== 0) {
    throw new Error(`its magic is ${JSON.stringify(magic)}, not "n+${found.version}"`);
  }
  return found;
}

function shapeOf(dims: readonly number[]): number[] {
  const count = dims[0]!;
  if (count < 1 || count > 7) throw new Error(`it has ${count} dimensions; 1 to 7 are possible`);
  const shape = dims.slice(1, count + 1);
  shape.forEach((n, i) => {
    if (!(n > 0)) throw new Error(`dimension ${i + 1} has length ${n}`);
  });
  while (shape.length < 3) shape.push(1);
  return shape;
}

function affineFrom(
  sformCode: number,
  qformCode: number,
  rows: readonly number[],
  qform: QForm,
  shape: readonly number[],
  spacing: Triple,
): number[] {
  if (sformCode > 0) return requireAxes([...rows, 0, 0, 0, 1], "the sform");
  if (qformCode > 0) {
    if (![...qform.quaternion, ...qform.offset].every(Number.isFinite)) {
      throw new Error("the qform has numbers that are not finite");
    }
    return requireAxes(affineOfQForm(qform, spacing), "the qform");
  }
  const [sx, sy, sz] = spacing;
  const centre = (axis: number) => ((shape[axis]! - 1) / 2) * spacing[axis]!;
  return affineOf(
    [
      [-sx, 0, 0],
      [0, sy, 0],
      [0, 0, sz],
    ],
    [centre(0), -centre(1), -centre(2)],
  );
}

function scalingOf(slope: number, intercept: number): Scaling {
  if (slope === 0 || Number.isNaN(slope)) return { slope: 1, intercept: 0 };
  if (!Number.isFinite(slope)) throw new Error(`the intensity slope is ${slope}`);
  if (!Number.isFinite(intercept)) throw new Error(`the intensity intercept is ${intercept}`);
  return { slope, intercept };
}

/**
 * The voxels begin after the header and four bytes that announce extensions, or later. 0 means the first such place.
 */
function checkOffset(offset: number, least: number): number {
  if (offset === 0) return least;
  if (!Number.isInteger(offset) || offset < least) {
    throw new Error(
      `its header says that the voxels begin at byte ${offset}, but the header alone has ${least}`,
    );
  }
  return offset;
}
