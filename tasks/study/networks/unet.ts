/**
 * nnU-Net v2's PlainConvUNet and ResidualEncoderUNet as ONNX graphs.
 * Reference: MIC-DKFZ/dynamic-network-architectures architectures/unet.py and building_blocks/.
 */
import type { Value } from "../nn/onnx/graph.ts";
import {
  concat,
  convolution,
  instanceNorm,
  leakyRelu,
  networkInput,
  networkOutput,
  type PerAxis,
  upConvolution,
} from "./layers.ts";
import type { Network } from "./network.ts";

export interface UNetArchitecture {
  readonly encoder: "plain" | "residual";
  /** Channels at each level, full resolution first. All lists have this order. */
  readonly features: readonly number[];
  readonly kernels: readonly PerAxis[];
  /** Stride from the level before to each level; the first is usually 1×1×1. */
  readonly strides: readonly PerAxis[];
  /** Number of convolutions (plain) or residual blocks of each encoder level. */
  readonly encoderBlocks: readonly number[];
  /** Number of convolutions of each decoder level, deepest first; one level fewer than the encoder. */
  readonly decoderBlocks: readonly number[];
  readonly normEpsilon: number;
  /** Negative slope of LeakyReLU; 0 for ReLU. */
  readonly slope: number;
}

/** One name for each weight that nnU-Net's modules register under several names. */
export function canonicalUNetName(name: string): string {
  return name
    .replace(/^decoder\.encoder\./, "encoder.")
    .replace(/\.all_modules\.(\d+)\.(weight|bias)$/, (_, index: string, kind: string) =>
      index === "0" ? `.conv.${kind}` : `.norm.${kind}`,
    );
}

/** Weights of the heads at coarser levels, which only the training uses. */
export const unusedUNetWeights = /^decoder\.seg_layers\.\d+\./;

/** Input (batch, channels, patch), output logits (batch, heads, patch). Throws an Error if weights do not fit. */
export function unet(n: Network, a: UNetArchitecture, channels: number, heads: number, patch: PerAxis): void {
  const levels = a.features.length;
  let x = networkInput(n, channels, patch);
  let width = channels;
  if (a.encoder === "residual") {
    x = convNorm(n, x, "encoder.stem.convs.0", { in: width, out: a.features[0]!, kernel: a.kernels[0]! }, a);
    width = a.features[0]!;
  }
  const skips: Value[] = [];
  for (let s = 0; s < levels; s++) {
    for (let b = 0; b < a.encoderBlocks[s]!; b++) {
      const shape = { in: width, out: a.features[s]!, kernel: a.kernels[s]! };
      const stride = b === 0 ? a.strides[s]! : undefined;
      x =
        a.encoder === "plain"
          ? convNorm(n, x, `encoder.stages.${s}.0.convs.${b}`, shape, a, stride)
          : residualBlock(n, x, `encoder.stages.${s}.blocks.${b}`, shape, a, stride);
      width = a.features[s]!;
    }
    skips.push(x);
  }
  for (let d = 0; d < levels - 1; d++) {
    const level = levels - 2 - d;
    const out = a.features[level]!;
    const up = upConvolution(n, x, `decoder.transpconvs.${d}`, { in: width, out }, a.strides[level + 1]!);
    x = concat(n, [up, skips[level]!]);
    for (let c = 0; c < a.decoderBlocks[d]!; c++) {
      const shape = { in: c === 0 ? 2 * out : out, out, kernel: a.kernels[level]! };
      x = convNorm(n, x, `decoder.stages.${d}.convs.${c}`, shape, a);
    }
    width = out;
  }
  const logits = convolution(n, x, `decoder.seg_layers.${levels - 2}`, { in: width, out: heads });
  networkOutput(n, logits, "logits", heads, patch);
}

interface BlockShape {
  readonly in: number;
  readonly out: number;
  readonly kernel: PerAxis;
}

function convNorm(
  n: Network,
  x: Value,
  name: string,
  shape: BlockShape,
  a: UNetArchitecture,
  stride?: PerAxis,
): Value {
  return leakyRelu(n, linear(n, x, name, shape, a, stride), a.slope);
}

/** Convolution and normalisation without the non-linearity. */
function linear(
  n: Network,
  x: Value,
  name: string,
  shape: BlockShape,
  a: UNetArchitecture,
  stride?: PerAxis,
): Value {
  const y = convolution(n, x, `${name}.conv`, shape, stride);
  return instanceNorm(n, y, `${name}.norm`, shape.out, a.normEpsilon);
}

function residualBlock(
  n: Network,
  x: Value,
  name: string,
  shape: BlockShape,
  a: UNetArchitecture,
  stride: PerAxis = [1, 1, 1],
): Value {
  let y = convNorm(n, x, `${name}.conv1`, shape, a, stride);
  y = linear(n, y, `${name}.conv2`, { ...shape, in: shape.out }, a);
  const pooled = stride.some((s) => s !== 1);
  let shortcut = pooled ? n.graph.node("AveragePool", [x], { kernel_shape: stride, strides: stride }) : x;
  if (shape.in !== shape.out) {
    const projection = { in: shape.in, out: shape.out, kernel: [1, 1, 1] };
    shortcut = linear(n, shortcut, `${name}.skip.${pooled ? 1 : 0}`, projection, a);
  }
  return leakyRelu(n, n.graph.node("Add", [y, shortcut]), a.slope);
}
