/**
 * Reads NRRD volumes (.nrrd, and .nhdr with a data file beside it) as ITK does.
 * Sources: teem's definition of the format; ITK's NrrdImageIO for the space of files that state none (LPS).
 */
import type { Triple } from "../arrays.ts";
import { affineOf, length, requireAxes } from "./affine.ts";
import { named } from "./nifti-file.ts";
import { type VoxelType, voxelTypeNamed } from "./nifti-types.ts";
import { dataFileOf, readStoredVoxels } from "./stored-voxels.ts";
import { numbers, readTextHeader, sizeOfField } from "./text-header.ts";
import type { Grid, Volume } from "./volume.ts";

type Fields = ReadonlyMap<string, string>;

/** @throws Error that names the file and says what is unusable or not supported */
export async function readNrrd(path: string): Promise<Volume> {
  try {
    const header = await readTextHeader(path, (line) => line === "");
    if (!/^NRRD000\d$/.test(header.lines[0] ?? "")) throw new Error("it does not begin like a NRRD file");
    const fields = fieldsOf(header.lines.slice(1));
    const grid = gridOf(fields);
    const type = typeOf(fields);
    const encoding = encodingOf(fields);
    const dataFile = fields.get("data file") ?? fields.get("datafile");
    const skip = Number(fields.get("byte skip") ?? fields.get("byteskip") ?? 0);
    const skipped = skip === 0 || (encoding === "raw" && Number.isSafeInteger(skip) && skip >= -1);
    if (!skipped || Number(fields.get("line skip") ?? fields.get("lineskip") ?? 0) !== 0)
      throw new Error("it skips lines or compressed bytes before its voxels, which lq does not support");
    const start = dataFile === undefined ? header.bytes : 0;
    const data = await readStoredVoxels({
      path: dataFile === undefined ? path : dataFileOf(path, dataFile),
      offset: skip === -1 ? "end" : start + skip,
      encoding,
      type,
      bigEndian: endianOf(fields, type) === "big",
      size: grid.size,
    });
    return { ...grid, data };
  } catch (error) {
    throw named(path, error);
  }
}

/** Names in lower case. Comments and `key:=value` pairs are left out. */
function fieldsOf(lines: readonly string[]): Fields {
  const found = lines.flatMap((line) => {
    const [, name, value] = /^([^#:]+): (.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name.trim().toLowerCase(), (value ?? "").trim()] as const];
  });
  return new Map(found);
}

function wanted(fields: Fields, name: string): string {
  const value = fields.get(name);
  if (value === undefined) throw new Error(`its header has no field "${name}"`);
  return value;
}

/** Factors from the axes of a space to RAS. */
const SPACES: { readonly [space: string]: Triple } = {
  "right-anterior-superior": [1, 1, 1],
  ras: [1, 1, 1],
  "left-anterior-superior": [-1, 1, 1],
  las: [-1, 1, 1],
  "left-posterior-superior": [-1, -1, 1],
  lps: [-1, -1, 1],
};

function gridOf(fields: Fields): Grid {
  const dimension = wanted(fields, "dimension");
  if (dimension !== "3") throw new Error(`it has ${dimension} dimensions; lq reads volumes with three`);
  const size = sizeOfField("sizes", wanted(fields, "sizes"));
  const space = (fields.get("space") ?? "lps").toLowerCase();
  const toRas = SPACES[space];
  if (toRas === undefined)
    throw new Error(`its space is "${space}"; lq reads ${Object.keys(SPACES).join(", ")}`);
  const directions = fields.get("space directions");
  const steps =
    directions === undefined
      ? spacings(fields).map((mm, axis) => [0, 1, 2].map((i) => (i === axis ? mm : 0)))
      : vectors("space directions", directions, 3);
  const [origin] = vectors("space origin", fields.get("space origin") ?? "(0,0,0)", 1);
  // + 0 turns -0 into 0.
  const inRas = (vector: readonly number[], axis: 0 | 1 | 2) => vector[axis]! * toRas[axis] + 0;
  const [i, j, k, o] = [...steps, origin!].map((vector): Triple => [
    inRas(vector, 0),
    inRas(vector, 1),
    inRas(vector, 2),
  ]);
  const affine = requireAxes(affineOf([i!, j!, k!], o!), "its space");
  return { size, spacing: [length(i!), length(j!), length(k!)], affine };
}

function spacings(fields: Fields): number[] {
  const values = numbers("spacings", fields.get("spacings") ?? "1 1 1", 3);
  if (values.every((mm) => mm > 0)) return values;
  throw new Error(`its spacings ${values.join(", ")} are not all above 0`);
}

/** "(1,0,0) (0,1,0)" → [[1, 0, 0], [0, 1, 0]] */
function vectors(field: string, text: string, count: number): number[][] {
  const found = [...text.matchAll(/\(([^()]*)\)/g)].map(([, inner]) => numbers(field, inner!, 3));
  if (found.length === count && !/[^\s()\d.,eE+-]/.test(text)) return found;
  throw new Error(`its field "${field}" is ${JSON.stringify(text)}, not ${count} vectors of three numbers`);
}

/** Names of each voxel type. */
const TYPES: { readonly [name: string]: readonly string[] } = {
  int8: ["signed char", "int8", "int8_t"],
  uint8: ["uchar", "unsigned char", "uint8", "uint8_t"],
  int16: ["short", "short int", "signed short", "signed short int", "int16", "int16_t"],
  uint16: ["ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"],
  int32: ["int", "signed int", "int32", "int32_t"],
  uint32: ["uint", "unsigned int", "uint32", "uint32_t"],
  int64: [
    "longlong",
    "long long",
    "long long int",
    "signed long long",
    "signed long long int",
    "int64",
    "int64_t",
  ],
  uint64: ["ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"],
  float32: ["float"],
  float64: ["double"],
};

function typeOf(fields: Fields): VoxelType {
  const name = wanted(fields, "type");
  const [type] = Object.entries(TYPES).find(([, names]) => names.includes(name.toLowerCase())) ?? [];
  if (type === undefined) throw new Error(`voxels of type "${name}" are not supported`);
  return voxelTypeNamed(type);
}

function encodingOf(fields: Fields): "raw" | "gzip" {
  const name = wanted(fields, "encoding");
  if (name === "raw") return "raw";
  if (name === "gzip" || name === "gz") return "gzip";
  throw new Error(`its encoding is "${name}"; lq reads raw and gzip`);
}

function endianOf(fields: Fields, { bytes }: VoxelType): string {
  const endian = bytes === 1 ? "little" : wanted(fields, "endian");
  if (endian === "little" || endian === "big") return endian;
  throw new Error(`its endian is "${endian}", not little or big`);
}
