/** Builds the objects of numpy, collections and builtins that occur in pickles of plain data. */
import { Foreign, Global, type Pickled } from "./values.ts";

/** A numpy array: raw bytes with a dtype. `values` decodes them. */
export class NdArray extends Foreign {
  shape: number[] = [];
  #dtype: Dtype | null = null;
  #fortranOrder = false;
  #raw: Pickled = null;

  /** Takes numpy's state: (version, shape, dtype, is Fortran order, bytes or list of objects). */
  override build(state: Pickled): void {
    const [, shape, dtype, fortran, raw] = Array.isArray(state) ? state : [];
    if (!Array.isArray(shape) || !(dtype instanceof Dtype) || raw === undefined) {
      throw new Error("a numpy array without shape, type and values");
    }
    this.shape = shape.map(Number);
    this.#dtype = dtype;
    this.#fortranOrder = fortran === true;
    this.#raw = raw;
  }

  static from(raw: Pickled, dtype: Dtype, shape: Pickled, order: Pickled): NdArray {
    const array = new NdArray();
    array.build([1, shape, dtype, order === "F", raw]);
    return array;
  }

  /** The elements in C order. Throws an Error for element types that are neither numbers nor objects. */
  values(): Pickled[] {
    const count = this.shape.reduce((a, b) => a * b, 1);
    const stored = Array.isArray(this.#raw) ? this.#raw : this.#dtype!.decode(bytesOf(this.#raw), count);
    if (stored.length !== count) throw new Error(`a numpy array of ${count} elements holds ${stored.length}`);
    return this.#fortranOrder ? transpose(stored, this.shape) : stored;
  }

  /** Nested arrays, like numpy's `tolist()`. */
  toList(): Pickled {
    let level = this.values();
    for (const size of this.shape.slice(1).reverse()) {
      const next: Pickled[] = [];
      for (let i = 0; i < level.length; i += size) next.push(level.slice(i, i + size));
      level = next;
    }
    return this.shape.length === 0 ? level[0]! : level;
  }
}

class Dtype extends Foreign {
  readonly #kind: string;
  #littleEndian = true;

  constructor(kind: string) {
    super();
    this.#littleEndian = !kind.startsWith(">");
    this.#kind = kind.replace(/^[<>|=]/, "");
  }

  /** Takes numpy's state: (version, byte order, …). */
  override build(state: Pickled): void {
    if (Array.isArray(state)) this.#littleEndian = state[1] !== ">";
  }

  decode(bytes: Uint8Array, count: number): Pickled[] {
    const format = formats[this.#kind];
    if (!format) throw new Error(`numpy type ${this.#kind} is not supported`);
    const [size, read] = format;
    if (count * size !== bytes.length) {
      throw new Error(`${bytes.length} bytes are not ${count} numpy values of type ${this.#kind}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, i) => read(view, i * size, this.#littleEndian));
  }
}

type Reader = (view: DataView, at: number, little: boolean) => Pickled;

const formats: Record<string, [size: number, read: Reader]> = {
  b1: [1, (v, at) => v.getUint8(at) !== 0],
  i1: [1, (v, at) => v.getInt8(at)],
  u1: [1, (v, at) => v.getUint8(at)],
  i2: [2, (v, at, little) => v.getInt16(at, little)],
  u2: [2, (v, at, little) => v.getUint16(at, little)],
  i4: [4, (v, at, little) => v.getInt32(at, little)],
  u4: [4, (v, at, little) => v.getUint32(at, little)],
  i8: [8, (v, at, little) => narrow(v.getBigInt64(at, little))],
  u8: [8, (v, at, little) => narrow(v.getBigUint64(at, little))],
  f4: [4, (v, at, little) => v.getFloat32(at, little)],
  f8: [8, (v, at, little) => v.getFloat64(at, little)],
};

/** The value that a call of numpy, collections or builtins would give; undefined for any other name. */
export function callPlain(name: string, args: readonly Pickled[]): Pickled | undefined {
  switch (name.replace(/^numpy\.core\./, "numpy._core.").replace(/^__builtin__\./, "builtins.")) {
    case "collections.OrderedDict":
    case "builtins.dict":
      return new Map(pairs(args[0]));
    case "collections.defaultdict":
      return new Map(pairs(args[1]));
    case "builtins.list":
    case "builtins.tuple":
      return [...items(args[0])];
    case "builtins.set":
    case "builtins.frozenset":
      return new Set(items(args[0]));
    case "builtins.bytearray":
      return args[0] instanceof Uint8Array ? args[0] : undefined;
    case "_codecs.encode":
      return typeof args[0] === "string" ? new Encoded(args[0]) : undefined;
    case "numpy.dtype":
      return typeof args[0] === "string" ? new Dtype(args[0]) : undefined;
    case "numpy._core.multiarray.scalar":
      return args[0] instanceof Dtype ? args[0].decode(bytesOf(args[1] ?? null), 1)[0] : undefined;
    case "numpy._core.multiarray._reconstruct":
      return isNdArray(args[0]) ? new NdArray() : undefined;
    case "numpy._core.numeric._frombuffer":
      return args[1] instanceof Dtype
        ? NdArray.from(args[0]!, args[1], args[2] ?? null, args[3] ?? null)
        : undefined;
    default:
      return undefined;
  }
}

/** Bytes that Python 3 writes in protocol 2 as `_codecs.encode(text, "latin1")`. They are decoded only when used. */
class Encoded extends Foreign {
  readonly text: string;
  constructor(text: string) {
    super();
    this.text = text;
  }
}

function bytesOf(value: Pickled): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Encoded) return Buffer.from(value.text, "latin1");
  if (typeof value === "string") return Buffer.from(value, "latin1");
  throw new Error("numpy values without bytes");
}

function isNdArray(value: Pickled | undefined): boolean {
  return value instanceof Global && value.module === "numpy" && value.name === "ndarray";
}

function items(value: Pickled | undefined): Iterable<Pickled> {
  return Array.isArray(value) || value instanceof Set ? value : [];
}

function pairs(value: Pickled | undefined): [Pickled, Pickled][] {
  if (value instanceof Map) return [...value];
  return [...items(value)].filter(
    (pair): pair is [Pickled, Pickled] => Array.isArray(pair) && pair.length === 2,
  );
}

/** Reorders values from Fortran order (first index fastest) to C order. */
function transpose(values: readonly Pickled[], shape: readonly number[]): Pickled[] {
  const result: Pickled[] = [];
  const index = shape.map(() => 0);
  for (let n = 0; n < values.length; n++) {
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) at = at * shape[axis]! + index[axis]!;
    result.push(values[at]!);
    for (let axis = shape.length - 1; axis >= 0 && (index[axis]! += 1) === shape[axis]; axis--)
      index[axis] = 0;
  }
  return result;
}

function narrow(value: bigint): number | bigint {
  return BigInt(Number(value)) === value ? Number(value) : value;
}
