/**
 * A small builder of ONNX graphs.
 *
 *     const g = createGraph("example");
 *     const x = g.input("x", "float32", [1, 3]);
 *     g.output("y", g.node("LeakyRelu", [x], { alpha: float(0.01) }), "float32", [1, 3]);
 *     const bytes = g.finish();
 *
 * Values are names. The builder does not track shapes. It stores small constants with the same content once.
 */
import {
  type AttributeProto,
  attributeTypes,
  type DataType,
  dataTypes,
  encodeModel,
  type ModelProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";

export type Value = string;
/** A plain number is an int attribute; write `float(x)` for a float attribute. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
/** A fixed size, or the name of a size that is known only at run time. */
export type Dimension = number | string;

export const float = (value: number): Attribute => ({ float: value });

export type TensorData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** A range of bytes in a file beside the model. */
export interface ExternalPlace {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface Graph {
  input(name: string, type: DataType, shape: readonly Dimension[]): Value;
  output(name: string, value: Value, type: DataType, shape: readonly Dimension[]): void;
  /** A node with one output. An empty name in `inputs` leaves an optional input out. */
  node(op: string, inputs: readonly Value[], attributes?: Record<string, Attribute>, domain?: string): Value;
  /** A node with several outputs. */
  nodes(
    count: number,
    op: string,
    inputs: readonly Value[],
    attributes?: Record<string, Attribute>,
    domain?: string,
  ): Value[];
  /** A stored tensor. With `name`, it can be read back from the file by that name. */
  constant(data: TensorData, dims: readonly number[], name?: string): Value;
  /** A float32 tensor whose values are in a file beside the model. */
  external(name: string, dims: readonly number[], place: ExternalPlace): Value;
  /** A float32 scalar. */
  scalar(value: number): Value;
  /** A one-dimensional int64 tensor. */
  ints(values: readonly number[]): Value;
  /** The model file. */
  finish(metadata?: Readonly<Record<string, string>>): Uint8Array;
  /** The model as it is so far, for a backend that does not read files. */
  readonly model: ModelProto;
}

/** The operator sets that graphs use; onnxruntime 1.30 and later support them. */
const opsets = { "": 18, "com.microsoft": 1 };
const irVersion = 9;

/** Starts an empty graph. `constant` throws an Error if the values do not fill the shape. */
export function createGraph(name: string): Graph {
  const model: ModelProto = {
    irVersion,
    opsetImport: Object.entries(opsets).map(([domain, version]) => ({ domain, version })),
    producerName: "lq",
    graph: { name, node: [], initializer: [], input: [], output: [] },
    metadataProps: [],
  };
  const { graph } = model;
  const constants = new Map<string, Value>();
  let counter = 0;
  const fresh = (op: string): Value => `${op}_${counter++}`;

  const g: Graph = {
    model,
    input(name, type, shape) {
      graph.input.push(valueInfo(name, type, shape));
      return name;
    },
    output(name, value, type, shape) {
      graph.node.push({
        name,
        opType: "Identity",
        domain: "",
        input: [value],
        output: [name],
        attribute: [],
      });
      graph.output.push(valueInfo(name, type, shape));
    },
    node: (op, inputs, attributes, domain) => g.nodes(1, op, inputs, attributes, domain)[0]!,
    nodes(count, op, inputs, attributes = {}, domain = "") {
      const output = Array.from({ length: count }, () => fresh(op));
      graph.node.push({
        name: output[0]!,
        opType: op,
        domain,
        input: [...inputs],
        output,
        attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
      });
      return output;
    },
    constant(data, dims, name) {
      const key = name === undefined && data.length <= 64 ? constantKey(data, dims) : null;
      const known = key === null ? undefined : constants.get(key);
      if (known !== undefined) return known;
      const value = name ?? fresh("const");
      graph.initializer.push(encodeTensor(value, data, dims));
      if (key !== null) constants.set(key, value);
      return value;
    },
    external(name, dims, place) {
      const externalData = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
      graph.initializer.push({
        name,
        dims: [...dims],
        dataType: dataTypes.float32,
        externalData,
        dataLocation: 1,
      });
      return name;
    },
    scalar: (value) => g.constant(Float32Array.of(value), []),
    ints: (values) => g.constant(BigInt64Array.from(values, BigInt), [values.length]),
    finish(metadata = {}) {
      model.metadataProps = Object.entries(metadata).map(([key, value]) => ({ key, value }));
      return encodeModel(model);
    },
  };
  return g;
}

function valueInfo(name: string, type: DataType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: dataTypes[type], shape: { dim } } } };
}

function encodeAttribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number") return { name, type: attributeTypes.int, i: value };
  if (typeof value === "string") {
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  }
  if ("float" in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: [...value] };
}

function encodeTensor(name: string, data: TensorData, dims: readonly number[]): TensorProto {
  const count = dims.reduce((a, b) => a * b, 1);
  if (count !== data.length) {
    throw new Error(`constant ${name}: ${data.length} values do not fill the shape [${dims.join(", ")}]`);
  }
  return { name, dims: [...dims], dataType: dataTypes[typeOf(data)], rawData: bytesOf(data) };
}

function typeOf(data: TensorData): DataType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof BigInt64Array) return "int64";
  return data instanceof Int32Array ? "int32" : "uint8";
}

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function constantKey(data: TensorData, dims: readonly number[]): string {
  return `${typeOf(data)}[${dims.join()}]${data.join()}`;
}
