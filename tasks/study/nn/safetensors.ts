/**
 * The safetensors format (github.com/huggingface/safetensors): eight bytes with the header's length, a JSON
 * header, then the tensors' bytes, little-endian and without gaps. The format holds no code. We check every file as
 * untrusted input.
 */
import { endianness } from "node:os";

const types = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const;

export type SafetensorsType = keyof typeof types;
export type TensorArray =
  Float64Array | Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

export interface StoredTensor {
  readonly shape: readonly number[];
  /** The class of the array is the stored type. */
  readonly data: TensorArray;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The file's bytes. Tensors and metadata keep the given order, so equal content gives equal bytes. */
export function encodeSafetensors(file: Safetensors): Uint8Array {
  if (endianness() !== "LE") throw new Error("safetensors: big-endian machines are not supported");
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (file.metadata.size > 0) header["__metadata__"] = Object.fromEntries(file.metadata);
  let offset = 0;
  for (const [name, { shape, data }] of file.tensors) {
    if (name === "__metadata__" || count(shape) !== data.length) {
      throw new Error(
        `safetensors: ${name}: ${data.length} values do not fill the shape [${shape.join(", ")}]`,
      );
    }
    header[name] = { dtype: typeOf(data), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8, 8 + length);
  bytes.set(text, 8);
  let position = 8 + length;
  for (const { data } of file.tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position);
    position += data.byteLength;
  }
  return bytes;
}

/** Throws an Error that says why, if the bytes are not a whole, consistent safetensors file. */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const fail = (what: string): never => {
    throw new Error(`not a valid safetensors file: ${what}`);
  };
  if (bytes.length < 8) fail("it is shorter than its length field");
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) fail(`the header claims ${length} bytes, the file has ${bytes.length}`);
  const header = parseHeader(bytes.subarray(8, 8 + length), fail);
  // A copy, so that it is aligned and never a Buffer, whose `slice` shares memory.
  const body = new Uint8Array(bytes.subarray(8 + length));

  const tensors = new Map<string, StoredTensor>();
  const metadata = new Map<string, string>();
  const places: { name: string; start: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(entry)) return fail("__metadata__ is not a map");
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== "string") return fail(`metadata ${key} is not a string`);
        metadata.set(key, value);
      }
      continue;
    }
    const { dtype, shape, start, end } = checkEntry(name, entry, fail);
    const type = types[dtype];
    if (end > body.length || end - start !== count(shape) * type.BYTES_PER_ELEMENT) {
      fail(`${name}: data_offsets does not fit its shape or the file`);
    }
    places.push({ name, start, end });
    tensors.set(name, { shape, data: new type(body.slice(start, end).buffer) });
  }
  places.sort((a, b) => a.start - b.start || a.end - b.end);
  let position = 0;
  for (const { name, start, end } of places) {
    if (start !== position) fail(`${name}: its bytes overlap another tensor or leave a gap`);
    position = end;
  }
  if (position !== body.length) fail("it has unused bytes at its end");
  return { tensors, metadata };
}

type Fail = (what: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return fail("the header is not JSON");
  }
  return isRecord(header) ? header : fail("the header is not a map");
}

function checkEntry(name: string, entry: unknown, fail: Fail) {
  if (!isRecord(entry)) return fail(`${name} is not a map`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(types, dtype)) {
    return fail(`${name}: unknown type ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) return fail(`${name}: the shape is not a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail(`${name}: data_offsets is not a pair`);
  const [start, end] = offsets as [number, number];
  return { dtype: dtype as SafetensorsType, shape, start, end };
}

function typeOf(data: TensorArray): SafetensorsType {
  const found = Object.entries(types).find(([, type]) => data instanceof type);
  return found![0] as SafetensorsType;
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && (size as number) >= 0);
}
