/**
 * A DynUNet in the standard operators of ONNX, for backends that need no detours: forward pass only, parameters as
 * inputs or as constants, deep-supervision heads enlarged to the size of the image.
 */
import { dynunet, type DynUNetSpec, type Layers } from "./dynunet.ts";
import { createGraph, float, type Graph, type Value } from "./onnx/graph.ts";
import type { ModelProto } from "./onnx/proto.ts";
import { parameters, type Weights } from "./parameters.ts";

/** Input `image`, output `logits`, as in inference-graph.ts. */
export function plainInferenceGraph(spec: DynUNetSpec, weights: Weights): ModelProto {
  const g = createGraph("DynUNet");
  const shapes = new Map(parameters(spec).map(({ name, shape }) => [name, shape]));
  const parameter = (name: string) => g.constant(weights.get(name)!, shapes.get(name)!, name);
  const inferred = { ...spec, heads: 0 };
  const [logits] = dynunet(inferred, imageOf(g, spec), plainLayers(g, parameter));
  g.output("logits", logits!, "float32", ["batch", spec.outChannels, "z", "y", "x"]);
  return g.model;
}

/** Inputs `image` and every parameter by name; outputs `logits 0` (the main one), `logits 1` … (the heads). */
export function plainTrainingGraph(spec: DynUNetSpec): ModelProto {
  const g = createGraph("DynUNet");
  const image = imageOf(g, spec);
  for (const { name, shape } of parameters(spec)) g.input(name, "float32", shape);
  const outputs = dynunet(
    spec,
    image,
    plainLayers(g, (name) => name),
  );
  for (const [i, output] of outputs.entries()) {
    const full = i === 0 ? output : enlarge(g, output, spec, i);
    g.output(`logits ${i}`, full, "float32", ["batch", spec.outChannels, "z", "y", "x"]);
  }
  return g.model;
}

/** The layers in ONNX's operators; `parameter` gives the value of a parameter. */
export function plainLayers(g: Graph, parameter: (name: string) => Value): Layers<Value> {
  const operands = (x: Value, name: string, bias: boolean) => [
    x,
    parameter(`${name}.weight`),
    ...(bias ? [parameter(`${name}.bias`)] : []),
  ];
  return {
    convolution(x, name, kernel, stride, bias) {
      const before = kernel.map((size, i) => Math.floor((size - stride[i]! + 1) / 2));
      const attributes = { kernel_shape: kernel, strides: stride, pads: [...before, ...before] };
      return g.node("Conv", operands(x, name, bias), attributes);
    },
    transposedConvolution: (x, name, kernel, bias) =>
      g.node("ConvTranspose", operands(x, name, bias), { kernel_shape: kernel, strides: kernel }),
    instanceNorm: (x, name) =>
      g.node("InstanceNormalization", operands(x, name, true), { epsilon: float(1e-5) }),
    leakyRelu: (x) => g.node("LeakyRelu", [x], { alpha: float(0.01) }),
    add: (a, b) => g.node("Add", [a, b]),
    concat: (a, b) => g.node("Concat", [a, b], { axis: 1 }),
  };
}

function imageOf(g: Graph, spec: DynUNetSpec): Value {
  return g.input("image", "float32", ["batch", spec.inChannels, "z", "y", "x"]);
}

/** Nearest neighbour, from the resolution of a level to that of the image. */
function enlarge(g: Graph, x: Value, { strides }: DynUNetSpec, level: number): Value {
  const factor = [0, 1, 2].map((axis) =>
    strides.slice(0, level + 1).reduce((product, stride) => product * stride[axis]!, 1),
  );
  const scales = g.constant(Float32Array.of(1, 1, ...factor), [5]);
  return g.node("Resize", [x, "", scales], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}
