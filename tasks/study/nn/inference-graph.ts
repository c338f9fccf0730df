/**
 * A trained DynUNet as an ONNX model. The input is `image` (N, C, z, y, x), the output `logits` (N, classes, z, y, x),
 * both float32. Weights are stored under their parameter names. The model has no heads, as in MONAI's eval mode.
 */
import type { Triple } from "../arrays.ts";
import { dynunet, type DynUNetSpec, type Layers } from "./dynunet.ts";
import { createGraph, type Dimension, type Graph, type Value } from "./onnx/graph.ts";
import { parameters, type Weights } from "./parameters.ts";
import { correlate } from "./autodiff/correlation.ts";
import { plainLayers } from "./plain-graph.ts";

/** The ONNX file. `size` (z, y, x) fixes the input's size; without it, any multiple of the strides' product works. */
export function inferenceGraph(spec: DynUNetSpec, weights: Weights, size?: Triple): Uint8Array {
  const g = createGraph("DynUNet");
  const shapes = new Map(parameters(spec).map(({ name, shape }) => [name, shape]));
  const constant = (name: string): Channels => {
    const data = weights.get(name);
    const shape = shapes.get(name);
    if (data === undefined || shape === undefined) throw new Error(`no weights for ${name}`);
    return { value: g.constant(data, shape, name), channels: shape[0]!, from: shape[1] ?? 0 };
  };
  const space: readonly Dimension[] = size ?? ["z", "y", "x"];
  const image = g.input("image", "float32", ["batch", spec.inChannels, ...space]);
  const inferred = { ...spec, heads: 0 };
  const [logits] = dynunet(inferred, image, inferenceLayers(g, constant));
  g.output("logits", logits!, "float32", ["batch", spec.outChannels, ...space]);
  return g.finish();
}

interface Channels {
  readonly value: Value;
  readonly channels: number;
  readonly from: number;
}

/** The plain layers, but with convolutions that are fast on a CPU. */
function inferenceLayers(g: Graph, constant: (name: string) => Channels): Layers<Value> {
  const plain = plainLayers(g, (name) => constant(name).value);
  return {
    ...plain,
    convolution(x, name, kernel, stride, bias) {
      if (bias) return plain.convolution(x, name, kernel, stride, bias);
      const { value, channels: to, from } = constant(`${name}.weight`);
      const pad = (i: 0 | 1 | 2) => Math.floor((kernel[i] - stride[i] + 1) / 2);
      const before: Triple = [pad(0), pad(1), pad(2)];
      return correlate(g, x, value, { from, to, kernel, stride, before, after: before });
    },
  };
}
