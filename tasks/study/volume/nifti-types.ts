/** NIfTI's voxel types, and the decoding of stored bytes. */
import type { VoxelArray } from "./volume.ts";

export type VoxelArrayConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor;

export interface VoxelType {
  readonly code: number;
  readonly name: string;
  readonly bytes: 1 | 2 | 4 | 8;
  /** Null for 64-bit integers, which become float64. */
  readonly array: VoxelArrayConstructor | null;
}

const types: readonly VoxelType[] = [
  { code: 2, name: "uint8", bytes: 1, array: Uint8Array },
  { code: 4, name: "int16", bytes: 2, array: Int16Array },
  { code: 8, name: "int32", bytes: 4, array: Int32Array },
  { code: 16, name: "float32", bytes: 4, array: Float32Array },
  { code: 64, name: "float64", bytes: 8, array: Float64Array },
  { code: 256, name: "int8", bytes: 1, array: Int8Array },
  { code: 512, name: "uint16", bytes: 2, array: Uint16Array },
  { code: 768, name: "uint32", bytes: 4, array: Uint32Array },
  { code: 1024, name: "int64", bytes: 8, array: null },
  { code: 1280, name: "uint64", bytes: 8, array: null },
];

const unsupported: { readonly [code: number]: string } = {
  0: "none",
  1: "binary",
  32: "complex64",
  128: "RGB24",
  1536: "float128",
  1792: "complex128",
  2048: "complex256",
  2304: "RGBA32",
};

/**
 * The voxel type with that code.
 * @throws Error that names the type if it does not hold one number for each voxel
 */
export function voxelType(code: number): VoxelType {
  const type = types.find((t) => t.code === code);
  if (type) return type;
  const name = unsupported[code];
  throw new Error(
    name === undefined ? `the voxel type ${code} is not known` : `voxels of type ${name} are not supported`,
  );
}

/** The voxel type with that name, as "int16". */
export function voxelTypeNamed(name: string): VoxelType {
  return types.find((type) => type.name === name)!;
}

/** The voxel type of an array. */
export function voxelTypeOf(data: VoxelArray): VoxelType {
  return types.find((t) => t.array === data.constructor)!;
}

/** value = raw · slope + intercept, in double precision. */
export interface Scaling {
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Decodes raw voxels. Without a scaling the values keep their type. With one they get the narrowest type that holds
 * every value exactly (at most float64), or float32 if asked for. Changes `raw`, and may return it.
 * @param swap whether the bytes of each number are in reverse order
 * @throws Error for 64-bit integers beyond 2^53
 */
export function decodeVoxels(
  raw: Uint8Array<ArrayBuffer>,
  type: VoxelType,
  swap: boolean,
  { slope, intercept }: Scaling,
  float32: boolean,
): VoxelArray {
  if (swap) swapBytes(raw, type.bytes);
  const stored = type.array
    ? new type.array(raw.buffer, raw.byteOffset, raw.length / type.bytes)
    : fromInt64(raw, type.name === "uint64");
  if (slope === 1 && intercept === 0) return stored;
  const every = type.bytes <= 2 ? everyValue(stored) : null;
  const array = float32 ? Float32Array : scaledType(every, slope, intercept);
  const values = new array(stored.length);
  for (let i = 0; i < stored.length; i++) values[i] = stored[i]! * slope + intercept;
  return values;
}

function swapBytes(raw: Uint8Array<ArrayBuffer>, bytes: VoxelType["bytes"]): void {
  const buffer = Buffer.from(raw.buffer, raw.byteOffset, raw.length);
  if (bytes === 2) buffer.swap16();
  else if (bytes === 4) buffer.swap32();
  else if (bytes === 8) buffer.swap64();
}

function fromInt64(raw: Uint8Array<ArrayBuffer>, unsigned: boolean): Float64Array {
  const array = unsigned ? BigUint64Array : BigInt64Array;
  const stored = new array(raw.buffer, raw.byteOffset, raw.length / 8);
  // Convert in place: each value overwrites the bytes that it was read from.
  const values = new Float64Array(raw.buffer, raw.byteOffset, stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = Number(stored[i]!);
    if (!Number.isSafeInteger(value)) throw new Error(`voxel ${i} holds an integer beyond 2^53`);
    values[i] = value;
  }
  return values;
}

/** The least and greatest value of a type of at most 16 bits. */
function everyValue(stored: VoxelArray): readonly [number, number] {
  if (stored instanceof Uint8Array) return [0, 255];
  if (stored instanceof Int8Array) return [-128, 127];
  return stored instanceof Uint16Array ? [0, 65535] : [-32768, 32767];
}

/** The narrowest type that holds raw · slope + intercept exactly for all raw values of the range. */
function scaledType(
  range: readonly [number, number] | null,
  slope: number,
  intercept: number,
): VoxelArrayConstructor {
  if (range === null) return Float64Array;
  const [low, high] = range;
  let whole = true;
  let single = true;
  for (let raw = low; raw <= high; raw++) {
    const value = raw * slope + intercept;
    whole &&= Number.isInteger(value);
    single &&= Math.fround(value) === value;
  }
  const ends = [low * slope + intercept, high * slope + intercept];
  const [least, greatest] = [Math.min(...ends), Math.max(...ends)];
  if (whole && least >= -32768 && greatest <= 32767) return Int16Array;
  if (whole && least >= -(2 ** 31) && greatest < 2 ** 31) return Int32Array;
  return single ? Float32Array : Float64Array;
}
