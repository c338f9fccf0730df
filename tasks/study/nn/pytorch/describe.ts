/**
 * A graph of the TypeScript builders as JSON, for worker.py.
 *
 * The builders write an instance norm as 14 elementary operators, because onnxruntime's own is inexact
 * (networks/layers.ts). torch's own is exact and needs a fraction of the memory, so we put it back.
 */
import { dirname, join } from "node:path";
import {
  type AttributeProto,
  attributeTypes,
  dataTypes,
  type ModelProto,
  type NodeProto,
} from "../onnx/proto.ts";
import type { NdArray } from "../network.ts";

export interface Description {
  readonly graph: {
    readonly outputs: readonly string[];
    readonly nodes: readonly DescribedNode[];
    readonly constants: Readonly<Record<string, DescribedConstant>>;
  };
  /** Constants that are too large for JSON, by name. */
  readonly arrays: ReadonlyMap<string, NdArray>;
  /** The file of the weights, or null. */
  readonly weights: string | null;
}

interface DescribedNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: string;
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
}

type DescribedConstant = { readonly shape: readonly number[]; readonly type: string } & (
  { readonly values: readonly number[] } | { readonly at: number } | object
);

/** Constants with at most this many elements are part of the JSON. */
const SMALL = 64;

/**
 * Describes a model; `path` is its file where the weights are in another file beside it.
 * Throws an Error if a node has several outputs or the weights are elsewhere.
 */
export function describe({ graph }: ModelProto, path = ""): Description {
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const made = new Map(graph.node.map((node) => [node.output[0]!, node]));
  const scalar = (name: string) => {
    const tensor = initializers.get(name);
    return tensor?.rawData?.length === 4 ? Number(valuesOf("float32", tensor.rawData)[0]) : null;
  };
  const merged = new Map([...made].map(([name, node]) => [name, instanceNormOf(node, made, scalar) ?? node]));
  const outputs = graph.output.map(({ name }) => name);
  const nodes = needed(merged, outputs);
  const used = new Set(nodes.flatMap(({ input }) => input));

  const constants: Record<string, DescribedConstant> = {};
  const arrays = new Map<string, NdArray>();
  let weights: string | null = null;
  for (const { name, dims: shape, dataType, rawData, externalData } of graph.initializer) {
    if (!used.has(name)) continue;
    const type = typeName(dataType);
    if (rawData === undefined || rawData.length === 0) {
      const place = new Map(externalData?.map(({ key, value }) => [key, value]));
      const location = place.get("location") ?? "";
      if (!/^[\w-][\w.-]*$/.test(location))
        throw new Error(`${path}: ${name} is not in a file beside the model`);
      weights = join(dirname(path), location);
      constants[name] = { shape, type, at: Number(place.get("offset")) };
    } else if (type === "float32" && rawData.length > 4 * SMALL) {
      constants[name] = { shape, type };
      arrays.set(name, { shape, data: valuesOf("float32", rawData) as Float32Array });
    } else {
      constants[name] = { shape, type, values: [...valuesOf(type, rawData)].map(Number) };
    }
  }
  return { graph: { outputs, nodes: nodes.map(describeNode), constants }, arrays, weights };
}

/** The nodes that the outputs depend on, in their order. */
function needed(made: ReadonlyMap<string, NodeProto>, outputs: readonly string[]): NodeProto[] {
  const wanted = new Set(outputs);
  const nodes: NodeProto[] = [];
  for (const [name, node] of [...made].reverse()) {
    if (!wanted.has(name)) continue;
    if (node.output.length > 1) throw new Error(`${node.name}: a ${node.opType} with several outputs`);
    node.input.forEach((input) => wanted.add(input));
    nodes.push(node);
  }
  return nodes.reverse();
}

/** The instance norm (see networks/layers.ts) whose last node this is, or null. */
function instanceNormOf(
  last: NodeProto,
  made: ReadonlyMap<string, NodeProto>,
  scalar: (name: string) => number | null,
): NodeProto | null {
  const find = (name: string | undefined, op: string): NodeProto | null => {
    const node = made.get(name ?? "");
    return node?.opType === op ? node : null;
  };
  /** What the mean over space is taken of. */
  const meanOf = (name: string | undefined): string | undefined =>
    [0, 1, 2].reduce<string | undefined>((value) => find(value, "ReduceMean")?.input[0], name);

  if (last.opType !== "Add") return null;
  const scaled = find(last.input[0], "Mul");
  const shift = find(last.input[1], "Reshape");
  const centred = find(scaled?.input[0], "Sub");
  const factor = find(scaled?.input[1], "Div");
  const scale = find(factor?.input[0], "Reshape");
  const variance = find(find(factor?.input[1], "Sqrt")?.input[0], "Add");
  const square = find(meanOf(variance?.input[0]), "Mul");
  const x = centred?.input[0];
  const epsilon = scalar(variance?.input[1] ?? "");
  if (!shift || !scale || !centred || epsilon === null || x === undefined) return null;
  if (meanOf(centred.input[1]) !== x) return null;
  if (square?.input.some((name) => name !== centred.output[0]) !== false) return null;
  return {
    ...last,
    opType: "InstanceNormalization",
    input: [x, scale.input[0]!, shift.input[0]!],
    attribute: [{ name: "epsilon", type: attributeTypes.float, f: epsilon }],
  };
}

function describeNode({ opType, input, output, attribute }: NodeProto): DescribedNode {
  const attributes = Object.fromEntries(attribute.map((each) => [each.name, attributeValue(each)]));
  return { op: opType, in: input, out: output[0]!, attributes };
}

function attributeValue({ type, f, i, s, ints }: AttributeProto): number | string | readonly number[] {
  if (type === attributeTypes.float) return f ?? 0;
  if (type === attributeTypes.int) return i ?? 0;
  return type === attributeTypes.string ? new TextDecoder().decode(s) : (ints ?? []);
}

function typeName(dataType: number): string {
  return Object.entries(dataTypes).find(([, id]) => id === dataType)?.[0] ?? `type ${dataType}`;
}

/** A copy, because the bytes of a decoded file may not be aligned. */
function valuesOf(type: string, bytes: Uint8Array): Float32Array | Int32Array | BigInt64Array | Uint8Array {
  const { buffer } = Uint8Array.from(bytes);
  if (type === "float32") return new Float32Array(buffer);
  if (type === "int64") return new BigInt64Array(buffer);
  return type === "int32" ? new Int32Array(buffer) : new Uint8Array(buffer);
}
