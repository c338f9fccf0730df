/**
 * nnU-Net v1's Generic_UNet as an ONNX graph. Widths and kernels come from the weights.
 * Reference: uni-medical/STU-Net nnUNet-1.7.1/nnunet/network_architecture/generic_UNet.py.
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
  upConvolution,
} from "./layers.ts";
import type { Network } from "./network.ts";
import { countNames } from "./state-dict.ts";

/** Weights of the heads at coarser levels, which only the training uses. */
export const unusedGenericUNetWeights = /^seg_outputs\.\d+\./;

/**
 * `pool` holds the stride from each level to the next. Input (batch, channels, patch), output (batch, classes, patch).
 * Throws an Error if weights do not fit.
 */
export function genericUNet(
  n: Network,
  pool: readonly PerAxis[],
  channels: number,
  classes: number,
  patch: PerAxis,
  head: Head,
): void {
  let x = networkInput(n, channels, patch);
  const skips: { value: Value; width: number }[] = [];
  let width = channels;
  /** Adds `NAME.blocks.0`, `NAME.blocks.1`, …; the first one has the stride. */
  const stack = (name: string, stride?: PerAxis): void => {
    const count = countNames(n.state, `${name}.blocks.`, ".conv.weight");
    if (count === 0) throw new Error(`the checkpoint has no convolutions at ${name}`);
    for (let b = 0; b < count; b++) {
      const block = `${name}.blocks.${b}`;
      const out = n.shape(`${block}.conv.weight`)[0]!;
      x = convolution(n, x, `${block}.conv`, { in: width, out }, b === 0 ? stride : undefined);
      x = leakyRelu(n, instanceNorm(n, x, `${block}.instnorm`, out));
      width = out;
    }
  };
  for (let d = 0; d < pool.length; d++) {
    stack(`conv_blocks_context.${d}`, pool[d - 1]);
    skips.push({ value: x, width });
  }
  stack(`conv_blocks_context.${pool.length}.0`, pool.at(-1));
  stack(`conv_blocks_context.${pool.length}.1`);
  for (let u = 0; u < pool.length; u++) {
    const skip = skips.pop()!;
    const up = upConvolution(n, x, `tu.${u}`, { in: width, out: skip.width }, pool[pool.length - 1 - u]!);
    x = concat(n, [up, skip.value]);
    width = 2 * skip.width;
    stack(`conv_blocks_localization.${u}.0`);
    stack(`conv_blocks_localization.${u}.1`);
  }
  const logits = convolution(n, x, `seg_outputs.${pool.length - 1}`, { in: width, out: classes });
  networkOutput(n, logits, head, classes, patch);
}
