/** Reads numpy's .npz (a zip of .npy arrays), for golden data. */
import { openPromise } from "yauzl";
import { buffer } from "node:stream/consumers";

export interface NpyArray {
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  readonly dtype: string;
  /** float16 is widened to float32; int64 is narrowed to numbers (throws outside the safe range). */
  readonly data:
    | Float32Array
    | Float64Array
    | Uint8Array
    | Int8Array
    | Int16Array
    | Uint16Array
    | Int32Array
    | Uint32Array;
}

/** All arrays of an .npz file by name. */
export async function readNpz(path: string): Promise<Map<string, NpyArray>> {
  const zip = await openPromise(path);
  const arrays = new Map<string, NpyArray>();
  for await (const entry of zip.eachEntry()) {
    const bytes = await buffer(await zip.openReadStreamPromise(entry));
    arrays.set(entry.fileName.replace(/\.npy$/, ""), parseNpy(bytes));
  }
  return arrays;
}

function parseNpy(bytes: Buffer): NpyArray {
  if (bytes.toString("latin1", 1, 6) !== "NUMPY") throw new Error("not an .npy array");
  const major = bytes[6] ?? 0;
  const headerLength = major === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8);
  const start = (major === 1 ? 10 : 12) + headerLength;
  const header = bytes.toString("latin1", major === 1 ? 10 : 12, start);
  const dtype = /'descr': '([^']+)'/.exec(header)?.[1] ?? "?";
  const fortranOrder = header.includes("'fortran_order': True");
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .filter((s) => s.trim() !== "")
    .map(Number);
  const raw = new Uint8Array(bytes.subarray(start)).buffer;
  return { shape, fortranOrder, dtype, data: decode(raw, dtype) };
}

function decode(raw: ArrayBuffer, dtype: string): NpyArray["data"] {
  switch (dtype) {
    case "<f4":
      return new Float32Array(raw);
    case "<f8":
      return new Float64Array(raw);
    case "<f2":
      return Float32Array.from(new Uint16Array(raw), halfToFloat);
    case "|u1":
    case "|b1":
      return new Uint8Array(raw);
    case "|i1":
      return new Int8Array(raw);
    case "<i2":
      return new Int16Array(raw);
    case "<u2":
      return new Uint16Array(raw);
    case "<i4":
      return new Int32Array(raw);
    case "<u4":
      return new Uint32Array(raw);
    case "<i8":
      return Float64Array.from(new BigInt64Array(raw), (v) => {
        const n = Number(v);
        if (!Number.isSafeInteger(n)) throw new Error(`int64 value ${v} is out of range`);
        return n;
      });
    default:
      throw new Error(`unknown dtype ${dtype}`);
  }
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
