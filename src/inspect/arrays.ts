/**
 * Reads arrays of numbers from NumPy files (.npy, numpy.org/neps/nep-0001-npy-format) and safetensors files, to compare
 * them. The files are not trusted: content that does not follow the format counts as no array.
 */
import * as z from "zod/mini";

export interface NumberArray {
  /** Type and shape, in the file's notation. lq does not compare arrays with different forms number by number. */
  readonly form: string;
  readonly length: number;
  readonly at: (index: number) => number;
}

/** Bytes. lq reads no header that is longer. */
const LONGEST_HEADER = 100 << 20;

type Read = (view: DataView, at: number) => number;
interface Type {
  readonly bytes: number;
  readonly read: Read;
}

const type = (bytes: number, read: Read): Type => ({ bytes, read });
const u1 = type(1, (view, at) => view.getUint8(at));
const i1 = type(1, (view, at) => view.getInt8(at));

/** Little-endian types, by their names in safetensors and in NumPy. */
const TYPES = new Map<string, Type>([
  ...named(
    ["F64", "<f8"],
    type(8, (view, at) => view.getFloat64(at, true)),
  ),
  ...named(
    ["F32", "<f4"],
    type(4, (view, at) => view.getFloat32(at, true)),
  ),
  ...named(
    ["I64", "<i8"],
    type(8, (view, at) => Number(view.getBigInt64(at, true))),
  ),
  ...named(
    ["U64", "<u8"],
    type(8, (view, at) => Number(view.getBigUint64(at, true))),
  ),
  ...named(
    ["I32", "<i4"],
    type(4, (view, at) => view.getInt32(at, true)),
  ),
  ...named(
    ["U32", "<u4"],
    type(4, (view, at) => view.getUint32(at, true)),
  ),
  ...named(
    ["I16", "<i2"],
    type(2, (view, at) => view.getInt16(at, true)),
  ),
  ...named(
    ["U16", "<u2"],
    type(2, (view, at) => view.getUint16(at, true)),
  ),
  ...named(["I8", "|i1"], i1),
  ...named(["U8", "|u1", "BOOL", "|b1"], u1),
]);

/** Arrays by name; the name is empty for an .npy file. Null if the format or a type is unknown. */
export function arraysIn(name: string, content: Buffer): ReadonlyMap<string, NumberArray> | null {
  if (content.toString("latin1", 0, 6) === "\x93NUMPY") return npy(content);
  return name.endsWith(".safetensors") ? safetensors(content) : null;
}

function npy(content: Buffer): ReadonlyMap<string, NumberArray> | null {
  const wide = (content[6] ?? 0) > 1;
  if (content.length < 12) return null;
  const start = wide ? 12 : 10;
  const data = start + (wide ? content.readUInt32LE(8) : content.readUInt16LE(8));
  const header = content.toString("latin1", start, data).trim();
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const array = arrayOf(descr, header, content.subarray(data));
  return array && new Map([["", array]]);
}

const Header = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.number()),
    data_offsets: z.tuple([z.number(), z.number()]),
  }),
);

function safetensors(content: Buffer): ReadonlyMap<string, NumberArray> | null {
  if (content.length < 8) return null;
  const data = 8 + Number(content.readBigUInt64LE(0));
  if (data > LONGEST_HEADER) return null;
  const tensors = jsonEntries(content.toString("utf8", 8, data)).filter(([name]) => name !== "__metadata__");
  const header = Header.safeParse(Object.fromEntries(tensors)).data;
  if (header === undefined) return null;
  const arrays = new Map<string, NumberArray>();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(header)) {
    const array = arrayOf(dtype, `${dtype} ${shape.join("×")}`, content.subarray(data + from, data + to));
    if (array === null) return null;
    arrays.set(name, array);
  }
  return arrays;
}

function arrayOf(typeName: string, form: string, bytes: Buffer): NumberArray | null {
  const known = TYPES.get(typeName);
  if (known === undefined) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Math.floor(bytes.byteLength / known.bytes);
  return { form, length, at: (index) => known.read(view, index * known.bytes) };
}

function named(names: readonly string[], of: Type): [string, Type][] {
  return names.map((name) => [name, of]);
}

function jsonEntries(text: string): [string, unknown][] {
  try {
    return Object.entries((JSON.parse(text) as object | null) ?? {});
  } catch {
    return [];
  }
}
