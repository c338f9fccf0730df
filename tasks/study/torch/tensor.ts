/** Tensors of a checkpoint: shape, strides and the place of their bytes. The bytes are read on demand. */
import { open } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import { Foreign } from "./values.ts";

/** The bytes `[start, start + length)` of a file, deflated or stored. */
export interface ByteRange {
  readonly path: string;
  readonly start: number;
  readonly length: number;
  /** Number of bytes after inflating; undefined if the range is not deflated. */
  readonly inflated?: number;
}

export type ElementType =
  "float16" | "bfloat16" | "float32" | "float64" | "int8" | "uint8" | "int16" | "int32" | "int64" | "bool";

export const elementSize: Record<ElementType, number> = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  int8: 1,
  uint8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** A flat array of elements, shared by the tensors that view it. */
export class Storage extends Foreign {
  readonly type: ElementType;
  readonly length: number;
  /** Null until the place of the bytes is known; in the old format it follows the pickle. */
  bytes: ByteRange | null;

  constructor(type: ElementType, length: number, bytes: ByteRange | null) {
    super();
    this.type = type;
    this.length = length;
    this.bytes = bytes;
  }

  /** Elements `[first, first + count)`, converted to float32; an int64 beyond 2²⁴ loses digits. */
  async read(first: number, count: number): Promise<Float32Array> {
    if (!this.bytes) throw new Error("a tensor whose bytes are not in the file");
    return toFloat32(
      await readRange(this.bytes, first * elementSize[this.type], count * elementSize[this.type]),
      this.type,
    );
  }
}

/** A view of a storage, as in torch: element (i, j, …) lies at offset + i·strides[0] + j·strides[1] + … */
export class Tensor extends Foreign {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  /** Throws an Error if the view reaches beyond its storage. */
  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    const sizes = [offset, ...shape, ...strides];
    const last = shape.reduce((at, size, axis) => at + (size - 1) * (strides[axis] ?? NaN), offset);
    const empty = shape.includes(0);
    if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 0) || !(empty || last < storage.length)) {
      throw new Error(
        `a tensor of shape [${shape.join(", ")}] reaches beyond its storage of ${storage.length}`,
      );
    }
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }

  /** True if both view the same elements. */
  sameAs(other: Tensor): boolean {
    return (
      this.storage === other.storage &&
      this.offset === other.offset &&
      this.shape.join() === other.shape.join() &&
      this.strides.join() === other.strides.join()
    );
  }

  /** The same elements with an axis of size 1 before axis `axis`. */
  withAxis(axis: number): Tensor {
    const insert = (values: readonly number[], value: number) => values.toSpliced(axis, 0, value);
    return new Tensor(this.storage, this.offset, insert(this.shape, 1), insert(this.strides, 0));
  }

  /** The elements in C order, as float32. */
  async read(): Promise<Float32Array> {
    const { shape, strides, size } = this;
    if (size === 0) return new Float32Array(0);
    const span = shape.reduce((at, n, axis) => at + (n - 1) * strides[axis]!, 1);
    if (size > 2 ** 32) throw new Error(`a tensor of ${size} elements is too large`);
    const values = await this.storage.read(this.offset, span);
    return this.#isContiguous() ? values : gather(values, shape, strides, size);
  }

  #isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== expected) return false;
      expected *= this.shape[axis]!;
    }
    return true;
  }
}

function gather(
  values: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  size: number,
): Float32Array {
  const result = new Float32Array(size);
  const index = shape.map(() => 0);
  let at = 0;
  for (let n = 0; n < size; n++) {
    result[n] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}

/** Reads `length` bytes from `offset` on in the (inflated) range. Throws an Error if the range or the file is shorter. */
export async function readRange(range: ByteRange, offset: number, length: number): Promise<Uint8Array> {
  const whole = range.inflated !== undefined;
  if (offset + length > (range.inflated ?? range.length))
    throw new Error("a tensor reaches beyond its bytes");
  const bytes = new Uint8Array(whole ? range.length : length);
  const file = await open(range.path);
  try {
    for (let done = 0; done < bytes.length;) {
      const at = range.start + (whole ? 0 : offset) + done;
      const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 2 ** 30), at);
      if (bytesRead === 0) throw new Error(`${range.path}: the file ends within a tensor`);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  if (range.inflated === undefined) return bytes;
  const inflated = inflateRawSync(bytes, { maxOutputLength: Math.max(1, range.inflated) });
  return new Uint8Array(inflated.subarray(offset, offset + length));
}

function toFloat32(bytes: Uint8Array, type: ElementType): Float32Array {
  const { buffer } = bytes;
  switch (type) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return Float32Array.from(new Float64Array(buffer));
    case "float16":
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case "bfloat16": {
      const widened = Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16);
      return new Float32Array(widened.buffer);
    }
    case "int8":
      return Float32Array.from(new Int8Array(buffer));
    case "uint8":
    case "bool":
      return Float32Array.from(bytes);
    case "int16":
      return Float32Array.from(new Int16Array(buffer));
    case "int32":
      return Float32Array.from(new Int32Array(buffer));
    case "int64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
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
