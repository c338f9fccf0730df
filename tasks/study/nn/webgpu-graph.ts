/**
 * Rewrites a network for the runtime's WebGPU backend, which has no transposed convolution in 3D and no Sum of several
 * values. Nodes that it lacks run on the CPU, and each costs two copies of the data; so they are written in others.
 */
import {
  attributeTypes,
  dataTypes,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from "./onnx/proto.ts";

/** The same network, with the same inputs, outputs and weights. */
export function forWebGpu(model: ModelProto): ModelProto {
  const { graph } = model;
  const dims = new Map(graph.initializer.map((tensor) => [tensor.name, tensor.dims]));
  const rewritten: GraphProto = { ...graph, node: [], initializer: [...graph.initializer] };
  for (const node of graph.node) {
    const nodes = new Nodes(rewritten, node.name);
    const kernel = kernelOfUpsampling(node);
    if (kernel !== null) upsample(nodes, node, dims.get(node.input[1] ?? "") ?? [], kernel);
    else if (node.opType === "Sum") sum(nodes, node);
    else rewritten.node.push(node);
  }
  return { ...model, graph: rewritten };
}

/** The kernel of a transposed convolution whose kernel is its stride; null for any other node. */
function kernelOfUpsampling({ opType, attribute }: NodeProto): readonly number[] | null {
  if (opType !== "ConvTranspose") return null;
  const ints = (name: string) => attribute.find((each) => each.name === name)?.ints ?? [];
  const [kernel, strides] = [ints("kernel_shape"), ints("strides")];
  const known = attribute.every(({ name }) => name === "kernel_shape" || name === "strides");
  return known && kernel.length > 0 && kernel.join() === strides.join() ? kernel : null;
}

/**
 * Each input voxel becomes a block of its own: a product with the weights (in, out · block), then the axes of the blocks
 * move between those of the image. Shapes: (N, in, …space) → (N, out, …space · kernel).
 */
function upsample(
  nodes: Nodes,
  { input, output }: NodeProto,
  weight: readonly number[],
  kernel: readonly number[],
): void {
  const [x = "", w = "", bias = ""] = input;
  const [from = 0, to = 0] = weight;
  const axes = kernel.map((_, i) => i);
  const rank = kernel.length;
  const flat = nodes.add("Reshape", [w, nodes.ints([from, -1])]);
  const last = nodes.add("Transpose", [x], { perm: [0, ...axes.map((i) => i + 2), 1] });
  const product = nodes.add("MatMul", [last, flat]);
  // 0 keeps the size of an axis.
  const blocks = nodes.add("Reshape", [product, nodes.ints([0, ...axes.map(() => 0), to, ...kernel])]);
  const between = axes.flatMap((i) => [1 + i, 2 + rank + i]);
  const mixed = nodes.add("Transpose", [blocks], { perm: [0, 1 + rank, ...between] });
  const space = nodes.add("Slice", [nodes.add("Shape", [x]), nodes.ints([2]), nodes.ints([2 + rank])]);
  const grown = nodes.add("Mul", [space, nodes.ints(kernel)]);
  const shape = nodes.add("Concat", [nodes.ints([0, to]), grown], { axis: 0 });
  if (bias === "") return nodes.last(output, "Reshape", [mixed, shape]);
  const image = nodes.add("Reshape", [mixed, shape]);
  const spread = nodes.add("Reshape", [bias, nodes.ints([1, to, ...axes.map(() => 1)])]);
  nodes.last(output, "Add", [image, spread]);
}

function sum(nodes: Nodes, { input, output }: NodeProto): void {
  const [first = "", second, ...rest] = input;
  if (second === undefined) return nodes.last(output, "Identity", [first]);
  let total = first;
  for (const value of [second, ...rest].slice(0, -1)) total = nodes.add("Add", [total, value]);
  nodes.last(output, "Add", [total, input.at(-1) ?? ""]);
}

/** Adds the nodes that replace one node. */
class Nodes {
  readonly #graph: GraphProto;
  readonly #name: string;
  #count = 0;

  constructor(graph: GraphProto, name: string) {
    this.#graph = graph;
    this.#name = name;
  }

  add(
    opType: string,
    input: string[],
    attributes: { readonly [name: string]: number | number[] } = {},
  ): string {
    const output = this.#fresh();
    this.#push(opType, input, [output], attributes);
    return output;
  }

  /** The node whose outputs are those of the replaced node. */
  last(output: readonly string[], opType: string, input: string[]): void {
    this.#push(opType, input, [...output], {});
  }

  ints(values: readonly number[]): string {
    const name = this.#fresh();
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#graph.initializer.push({ name, dims: [values.length], dataType: dataTypes.int64, rawData });
    return name;
  }

  #fresh(): string {
    return `${this.#name}/webgpu_${this.#count++}`;
  }

  #push(
    opType: string,
    input: string[],
    output: string[],
    attributes: { readonly [name: string]: number | number[] },
  ): void {
    const attribute = Object.entries(attributes).map(([name, value]): AttributeProto =>
      typeof value === "number"
        ? { name, type: attributeTypes.int, i: value }
        : { name, type: attributeTypes.ints, ints: value },
    );
    this.#graph.node.push({ name: output[0] ?? "", opType, domain: "", input, output, attribute });
  }
}
