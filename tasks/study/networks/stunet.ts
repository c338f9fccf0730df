/**
 * STU-Net (Huang et al., 2023) as an ONNX graph. Widths and depths come from the weights, so one function serves S, B,
 * L and H. Reference: uni-medical/STU-Net nnUNet-1.7.1/nnunet/network_architecture/STUNet.py.
 */
import type { Value } from "../nn/onnx/graph.ts";
import {
  concat,
  convolution,
  type Head,
  instanceNorm,
  leakyRelu,
  networkInput,
  networkOutput,
  type PerAxis,
} from "./layers.ts";
import type { Network } from "./network.ts";
import { countNames, type StateDict } from "./state-dict.ts";

/** Whether the names of the weights are those of STU-Net. */
export function isStuNet(state: StateDict): boolean {
  return state.has("conv_blocks_context.0.0.conv1.weight");
}

/** Weights of the heads at coarser levels, which only the training uses. */
export const unusedStuNetWeights = /^seg_outputs\.\d+\./;

/**
 * `pool` holds the stride from each level to the next. Input (batch, channels, patch), output (batch, classes, patch).
 * Throws an Error if weights do not fit.
 */
export function stuNet(
  n: Network,
  pool: readonly PerAxis[],
  channels: number,
  classes: number,
  patch: PerAxis,
  head: Head,
): void {
  let x = networkInput(n, channels, patch);
  let width = channels;
  const skips: { value: Value; width: number }[] = [];
  const level = (name: string, stride?: PerAxis): void => {
    const count = countNames(n.state, `${name}.`, ".conv1.weight");
    if (count === 0) throw new Error(`the checkpoint has no blocks at ${name}`);
    for (let b = 0; b < count; b++) {
      const out = n.shape(`${name}.${b}.conv1.weight`)[0]!;
      x = block(n, x, `${name}.${b}`, width, out, b === 0 ? stride : undefined);
      width = out;
    }
  };
  for (let d = 0; d <= pool.length; d++) {
    level(`conv_blocks_context.${d}`, pool[d - 1]);
    if (d < pool.length) skips.push({ value: x, width });
  }
  for (let u = 0; u < pool.length; u++) {
    const skip = skips.pop()!;
    // A 1×1×1 convolution gives the same before and after nearest up-sampling; before it is cheaper.
    const narrow = convolution(n, x, `upsample_layers.${u}.conv`, { in: width, out: skip.width });
    x = concat(n, [upsampleNearest(n, narrow, pool[pool.length - 1 - u]!), skip.value]);
    width = 2 * skip.width;
    level(`conv_blocks_localization.${u}`);
  }
  const logits = convolution(n, x, `seg_outputs.${pool.length - 1}`, { in: width, out: classes });
  networkOutput(n, logits, head, classes, patch);
}

function block(n: Network, x: Value, name: string, width: number, out: number, stride?: PerAxis): Value {
  let y = convolution(n, x, `${name}.conv1`, { in: width, out }, stride);
  y = leakyRelu(n, instanceNorm(n, y, `${name}.norm1`, out));
  y = instanceNorm(n, convolution(n, y, `${name}.conv2`, { in: out, out }), `${name}.norm2`, out);
  const shortcut = n.state.has(`${name}.conv3.weight`)
    ? convolution(n, x, `${name}.conv3`, { in: width, out, kernel: [1, 1, 1] }, stride)
    : x;
  return leakyRelu(n, n.graph.node("Add", [y, shortcut]));
}

function upsampleNearest(n: Network, x: Value, factor: PerAxis): Value {
  const scales = n.graph.constant(Float32Array.of(1, 1, ...factor), [2 + factor.length]);
  return n.graph.node("Resize", [x, "", scales], {
    mode: "nearest",
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  });
}
