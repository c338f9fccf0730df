/**
 * Reads MetaImage volumes (.mha, and .mhd with a data file beside it) as ITK does: positions are LPS.
 * Sources: MetaIO's documentation of the format, ITK's MetaImageIO.
 */
import type { Triple } from "../arrays.ts";
import { affineOf, requireAxes } from "./affine.ts";
import { named } from "./nifti-file.ts";
import { type VoxelType, voxelTypeNamed } from "./nifti-types.ts";
import { dataFileOf, readStoredVoxels } from "./stored-voxels.ts";
import { numbers, readTextHeader, sizeOfField } from "./text-header.ts";
import type { Grid, Volume } from "./volume.ts";

type Fields = ReadonlyMap<string, string>;

/** @throws Error that names the file and says what is unusable or not supported */
export async function readMetaImage(path: string): Promise<Volume> {
  try {
    const header = await readTextHeader(path, (line) => LAST.test(line));
    const fields = fieldsOf(header.lines);
    const place = fields.get("ElementDataFile");
    if (place === undefined) throw new Error("it is no MetaImage: its header has no ElementDataFile");
    if (/^list\b|%/i.test(place))
      throw new Error("its voxels are in several files, which lq does not support");
    const isLocal = place.toUpperCase() === "LOCAL";
    const skip = fields.get("HeaderSize") ?? "0";
    if (!/^(-1|\d+)$/.test(skip)) throw new Error(`its HeaderSize is ${skip}, not a number of bytes`);
    const start = isLocal ? header.bytes : 0;
    refuse(fields);
    const grid = gridOf(fields);
    const data = await readStoredVoxels({
      path: isLocal ? path : dataFileOf(path, place),
      offset: skip === "-1" ? "end" : start + Number(skip),
      encoding: isTrue(fields.get("CompressedData")) ? "zlib" : "raw",
      type: typeOf(fields),
      bigEndian: isTrue(fields.get("BinaryDataByteOrderMSB") ?? fields.get("ElementByteOrderMSB")),
      size: grid.size,
    });
    return { ...grid, data };
  } catch (error) {
    throw named(path, error);
  }
}

/** The last line of a header. */
const LAST = /^\s*ElementDataFile\s*=/;

function fieldsOf(lines: readonly string[]): Fields {
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
    }),
  );
}

function isTrue(text: string | undefined): boolean {
  return /^(true|1)$/i.test(text ?? "");
}

/** Refuses what would change the voxels and is not supported. */
function refuse(fields: Fields): void {
  const expected: { readonly [field: string]: RegExp } = {
    NDims: /^3$/,
    BinaryData: /^(true|1)$/i,
    ElementNumberOfChannels: /^1$/,
    ElementToIntensityFunctionSlope: /^1(\.0*)?$/,
    ElementToIntensityFunctionOffset: /^-?0(\.0*)?$/,
  };
  for (const [field, allowed] of Object.entries(expected)) {
    const value = fields.get(field);
    if (value === undefined ? field === "NDims" : !allowed.test(value))
      throw new Error(`its ${field} is ${value ?? "not stated"}, which lq does not support`);
  }
}

function gridOf(fields: Fields): Grid {
  const size = sizeOfField("DimSize", fields.get("DimSize") ?? "");
  const spacingField = fields.has("ElementSpacing") ? "ElementSpacing" : "ElementSize";
  const spacing = numbers(spacingField, fields.get(spacingField) ?? "1 1 1", 3) as [number, number, number];
  if (!spacing.every((mm) => mm > 0))
    throw new Error(`its ${spacingField} ${spacing.join(", ")} is not above 0 along each axis`);
  const first = (...names: readonly string[]) => names.find((name) => fields.has(name)) ?? names[0]!;
  const matrix = first("TransformMatrix", "Rotation", "Orientation");
  const turns = numbers(matrix, fields.get(matrix) ?? "1 0 0 0 1 0 0 0 1", 9);
  const position = first("Offset", "Position", "Origin");
  const origin = numbers(position, fields.get(position) ?? "0 0 0", 3);
  // The first three numbers of the matrix are the direction of the first axis.
  const [i, j, k] = spacing.map((mm, axis) => ras(turns.slice(3 * axis, 3 * axis + 3).map((v) => v * mm)));
  return { size, spacing, affine: requireAxes(affineOf([i!, j!, k!], ras(origin)), `its ${matrix}`) };
}

function ras([x, y, z]: readonly number[]): Triple {
  return [-x! + 0, -y! + 0, z!];
}

const TYPES: { readonly [name: string]: string } = {
  MET_CHAR: "int8",
  MET_UCHAR: "uint8",
  MET_SHORT: "int16",
  MET_USHORT: "uint16",
  MET_INT: "int32",
  MET_UINT: "uint32",
  MET_LONG: "int32",
  MET_ULONG: "uint32",
  MET_LONG_LONG: "int64",
  MET_ULONG_LONG: "uint64",
  MET_FLOAT: "float32",
  MET_DOUBLE: "float64",
};

function typeOf(fields: Fields): VoxelType {
  const name = fields.get("ElementType") ?? "not stated";
  const type = TYPES[name];
  if (type === undefined) throw new Error(`its ElementType is ${name}, which lq does not support`);
  return voxelTypeNamed(type);
}
