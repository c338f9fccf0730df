/**
 * MONAI's DynUNet (Project-MONAI/MONAI, monai/networks/nets/dynunet.py): the U-Net of nnU-Net with kernels and
 * strides given for each level. This file connects the layers. An implementation of `Layers` says what a layer does:
 * inference-graph.ts writes an inference graph, training-graph.ts a graph with its gradient.
 *
 * Axes are (z, y, x). Only the 1×1×1 output layers have a bias, and transposed convolutions with `transposedBias`.
 * Norms are affine instance norms with epsilon 1e-5. Leaky ReLU has slope 0.01.
 */
import type { Triple } from "../arrays.ts";

export interface DynUNetSpec {
  readonly inChannels: number;
  /** Classes, background included. */
  readonly outChannels: number;
  /** Convolution kernel of each level, finest first; odd sizes. */
  readonly kernels: readonly Triple[];
  /** Stride of the first convolution of each level; [1, 1, 1] for the first level. */
  readonly strides: readonly Triple[];
  /** Channels of each level. */
  readonly filters: readonly number[];
  /** Number of deep-supervision heads, 0 for none; fewer than the number of up-sampling blocks. */
  readonly heads: number;
  /** Residual blocks in the encoder. */
  readonly residual: boolean;
  readonly transposedBias: boolean;
}

/** The layers of a network. Names are prefixes of parameters: `<name>.weight`, `<name>.bias`. */
export interface Layers<T> {
  /** The padding is (k − s + 1)/2, rounded down. */
  convolution(x: T, name: string, kernel: Triple, stride: Triple, bias: boolean): T;
  /** The stride is equal to the kernel. */
  transposedConvolution(x: T, name: string, kernel: Triple, bias: boolean): T;
  instanceNorm(x: T, name: string): T;
  leakyRelu(x: T): T;
  add(a: T, b: T): T;
  /** Concatenates along channels. */
  concat(a: T, b: T): T;
}

/** Throws an Error that names the wrong field of the spec. */
export function checkSpec(spec: DynUNetSpec): void {
  const levels = spec.kernels.length;
  const fail = (what: string): never => {
    throw new Error(`network: ${what}`);
  };
  if (levels < 3) fail(`kernels has ${levels} levels, at least 3 are needed`);
  if (spec.strides.length !== levels) fail(`strides has ${spec.strides.length} levels, kernels ${levels}`);
  if (spec.filters.length !== levels) fail(`filters has ${spec.filters.length} levels, kernels ${levels}`);
  if (spec.outChannels < 2) fail("outChannels must be at least 2 (background and one class)");
  for (const [what, values] of [
    ["kernels", spec.kernels.flat()],
    ["strides", spec.strides.flat()],
    ["filters", spec.filters],
    ["inChannels", [spec.inChannels]],
    ["outChannels", [spec.outChannels]],
  ] as const) {
    if (!values.every((value) => Number.isInteger(value) && value >= 1))
      fail(`${what} must be whole numbers greater than 0`);
  }
  if (spec.kernels.flat().some((size) => size % 2 === 0)) fail("kernels must be odd");
  if (spec.strides[0]!.some((stride) => stride !== 1)) fail("the first stride must be [1, 1, 1]");
  if (spec.kernels.flat().some((size, i) => spec.strides.flat()[i]! > size + 1)) {
    fail("a stride must be at most its kernel + 1");
  }
  if (!Number.isInteger(spec.heads) || spec.heads < 0 || spec.heads > levels - 2) {
    fail(`heads must be 0 to ${levels - 2} with ${levels} levels`);
  }
}

/** Connects the layers. Returns the main output, then the outputs of the heads, finest first, each at its own resolution. */
export function dynunet<T>(spec: DynUNetSpec, image: T, layers: Layers<T>): T[] {
  checkSpec(spec);
  const levels = spec.kernels.length;
  const encoded: T[] = [];
  let x = image;
  for (let level = 0; level < levels; level++) {
    x = (spec.residual ? residualBlock : basicBlock)(
      spec,
      x,
      encoderName(level, levels),
      level,
      spec.strides[level]!,
      layers,
    );
    encoded.push(x);
  }
  const heads: T[] = [];
  for (let up = 0; up < levels - 1; up++) {
    const level = levels - 2 - up;
    const kernel = spec.strides[level + 1]!;
    const name = `upsamples.${up}`;
    x = layers.transposedConvolution(x, `${name}.transp_conv.conv`, kernel, spec.transposedBias);
    x = layers.concat(x, encoded[level]!);
    x = basicBlock(spec, x, `${name}.conv_block`, level + 1, [1, 1, 1], layers);
    if (level >= 1 && level <= spec.heads) {
      heads.unshift(pointwise(x, `deep_supervision_heads.${level - 1}.conv.conv`, layers));
    }
  }
  return [pointwise(x, "output_block.conv.conv", layers), ...heads];
}

function basicBlock<T>(
  spec: DynUNetSpec,
  x: T,
  name: string,
  level: number,
  stride: Triple,
  layers: Layers<T>,
): T {
  return layers.leakyRelu(twoConvolutions(spec, x, name, level, stride, layers));
}

function residualBlock<T>(
  spec: DynUNetSpec,
  x: T,
  name: string,
  level: number,
  stride: Triple,
  layers: Layers<T>,
) {
  const main = twoConvolutions(spec, x, name, level, stride, layers);
  const shortcut = hasShortcutConvolution(spec, level)
    ? layers.instanceNorm(
        layers.convolution(x, `${name}.conv3.conv`, [1, 1, 1], stride, false),
        `${name}.norm3`,
      )
    : x;
  return layers.leakyRelu(layers.add(main, shortcut));
}

function twoConvolutions<T>(
  spec: DynUNetSpec,
  x: T,
  name: string,
  level: number,
  stride: Triple,
  layers: Layers<T>,
) {
  const kernel = spec.kernels[level]!;
  let y = layers.convolution(x, `${name}.conv1.conv`, kernel, stride, false);
  y = layers.leakyRelu(layers.instanceNorm(y, `${name}.norm1`));
  y = layers.convolution(y, `${name}.conv2.conv`, kernel, [1, 1, 1], false);
  return layers.instanceNorm(y, `${name}.norm2`);
}

function pointwise<T>(x: T, name: string, layers: Layers<T>): T {
  return layers.convolution(x, name, [1, 1, 1], [1, 1, 1], true);
}

/** MONAI's name of the encoder block at `level` in a network of `levels` levels. */
export function encoderName(level: number, levels: number): string {
  if (level === 0) return "input_block";
  return level === levels - 1 ? "bottleneck" : `downsamples.${level - 1}`;
}

/** Whether input and output of a residual block differ in shape, so that the shortcut needs a convolution. */
export function hasShortcutConvolution(spec: DynUNetSpec, level: number): boolean {
  const before = level === 0 ? spec.inChannels : spec.filters[level - 1]!;
  return before !== spec.filters[level] || spec.strides[level]!.some((stride) => stride !== 1);
}
