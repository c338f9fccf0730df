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
  /** Channels of the residual encoder's first convolution, if not those of the first level. */
  readonly stem: number | null;
  /** Whether convolutions and transposed convolutions have a bias. The output layer always has one. */
  readonly bias: boolean;
  /** Whether instance norms have weights. */
  readonly affine: boolean;
  /** Whether the non-linearity comes before the norm. */
  readonly nonlinFirst: boolean;
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
    const out = a.stem ?? a.features[0]!;
    x = convNorm(n, x, "encoder.stem.convs.0", { in: width, out, kernel: a.kernels[0]! }, a);
    width = out;
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
    const name = `decoder.transpconvs.${d}`;
    requireWeights(n, name, "bias", a.bias, "conv_bias");
    const up = upConvolution(n, x, name, { in: width, out }, a.strides[level + 1]!);
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
  if (!a.nonlinFirst) return leakyRelu(n, linear(n, x, name, shape, a, stride), a.slope);
  return norm(n, leakyRelu(n, plainConvolution(n, x, name, shape, a, stride), a.slope), name, shape, a);
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
  return norm(n, plainConvolution(n, x, name, shape, a, stride), name, shape, a);
}

function plainConvolution(
  n: Network,
  x: Value,
  name: string,
  shape: BlockShape,
  a: UNetArchitecture,
  stride?: PerAxis,
): Value {
  requireWeights(n, `${name}.conv`, "bias", a.bias, "conv_bias");
  return convolution(n, x, `${name}.conv`, shape, stride);
}

function norm(n: Network, x: Value, name: string, shape: BlockShape, a: UNetArchitecture): Value {
  requireWeights(n, `${name}.norm`, "weight", a.affine, "affine");
  const { normEpsilon: epsilon, affine } = a;
  return instanceNorm(n, x, `${name}.norm`, shape.out, { epsilon, affine });
}

/** Throws an Error unless the checkpoint has the weight exactly if the plans' `key` says so. */
function requireWeights(n: Network, name: string, part: string, wanted: boolean, key: string): void {
  if (n.state.has(`${name}.${part}`) === wanted) return;
  const found = wanted ? "no weight" : "the weight";
  throw new Error(`the plans say ${key}: ${wanted}, but the checkpoint has ${found} ${name}.${part}`);
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
    // The reference's projection never has a bias.
    shortcut = linear(n, shortcut, `${name}.skip.${pooled ? 1 : 0}`, projection, { ...a, bias: false });
  }
  return leakyRelu(n, n.graph.node("Add", [y, shortcut]), a.slope);
}
