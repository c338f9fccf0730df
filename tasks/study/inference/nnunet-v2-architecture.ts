/**
 * Reads the network architecture from a configuration of nnU-Net v2's plans. Each key is used or refused by name.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/utilities/plans_handling/plans_handler.py; MIC-DKFZ/dynamic-network-architectures
 * architectures/unet.py.
 */
import { z } from "zod";
import type { UNetArchitecture } from "../networks/unet.ts";

const size = z.union([z.number(), z.array(z.number())], { error: "expected a number or a list of numbers" });
const perLevel = z.union([z.number().int(), z.array(z.number().int())], {
  error: "expected a whole number or a list of them",
});

/** A key without effect on prediction. */
const unused = z.unknown().optional();

const archKwargs = z.strictObject({
  n_stages: z.number().int().min(2),
  features_per_stage: perLevel,
  conv_op: z.string(),
  kernel_sizes: z.array(size),
  strides: z.array(size),
  n_conv_per_stage: perLevel.optional(),
  n_blocks_per_stage: perLevel.optional(),
  n_conv_per_stage_decoder: perLevel,
  conv_bias: z.boolean().default(false),
  norm_op: z.string().nullable(),
  norm_op_kwargs: z
    .strictObject({
      eps: z.number().default(1e-5),
      affine: z.boolean().default(false),
      momentum: unused,
      track_running_stats: z.literal(false).optional(),
    })
    .nullish(),
  nonlin: z.string().nullable(),
  nonlin_kwargs: z.strictObject({ negative_slope: z.number().default(0.01), inplace: unused }).nullish(),
  nonlin_first: z.boolean().default(false),
  /** Dropout and stochastic depth do nothing at prediction, and deep supervision serves only the training. */
  dropout_op: unused,
  dropout_op_kwargs: unused,
  stochastic_depth_p: unused,
  deep_supervision: unused,
  block: z.string().nullish(),
  stem_channels: z.number().int().positive().nullish(),
  bottleneck_channels: z.unknown().optional(),
  squeeze_excitation: z.unknown().optional(),
  squeeze_excitation_reduction_ratio: unused,
});

/** Keys of a configuration: the block `architecture` of today's plans, or the flat keys of older plans. */
const architectureKeys = z.looseObject({
  architecture: z.object({ network_class_name: z.string(), arch_kwargs: archKwargs }).optional(),
  UNet_class_name: z.string().optional(),
  UNet_base_num_features: z.number().int().optional(),
  unet_max_num_features: z.number().int().optional(),
  n_conv_per_stage_encoder: z.array(z.number().int()).optional(),
  n_conv_per_stage_decoder: z.array(z.number().int()).optional(),
  pool_op_kernel_sizes: z.array(z.array(z.number().int())).optional(),
  conv_kernel_sizes: z.array(z.array(z.number().int())).optional(),
});
type Configuration = z.infer<typeof architectureKeys>;
type Dimensions = 2 | 3;

/**
 * The U-Net of a configuration. A network of two dimensions has kernels and strides of size 1 along the first axis.
 * Throws an Error that begins with `where` and names the key if something is not supported.
 */
export function readArchitecture(
  configuration: unknown,
  dimensions: Dimensions,
  where: string,
): UNetArchitecture {
  const parsed = architectureKeys.safeParse(configuration);
  if (!parsed.success) throw new Error(`${where}: ${z.prettifyError(parsed.error)}`);
  const c = parsed.data;
  const a = c.architecture
    ? newArchitecture(c.architecture, dimensions, where)
    : flatArchitecture(c, dimensions, where);
  const n = a.features.length;
  const lengths = [a.kernels.length, a.strides.length, a.encoderBlocks.length, a.decoderBlocks.length + 1];
  if (lengths.some((length) => length !== n))
    throw new Error(`${where}: the network's lists differ in length`);
  return a;
}

/** The strides of a configuration, as nnU-Net's property `pool_op_kernel_sizes`; the first is that of the first level. */
export function readStrides(configuration: unknown, where: string): number[][] {
  const strides = z.array(z.array(z.number().int().positive()).length(3));
  const schema = z.looseObject({
    pool_op_kernel_sizes: strides.optional(),
    architecture: z.looseObject({ arch_kwargs: z.looseObject({ strides }) }).optional(),
  });
  const parsed = schema.safeParse(configuration);
  if (!parsed.success) throw new Error(`${where}: ${z.prettifyError(parsed.error)}`);
  const found = parsed.data.architecture?.arch_kwargs.strides ?? parsed.data.pool_op_kernel_sizes;
  if (!found) throw new Error(`${where}: pool_op_kernel_sizes is missing`);
  return found;
}

function newArchitecture(
  { network_class_name: name, arch_kwargs: kw }: NonNullable<Configuration["architecture"]>,
  dimensions: Dimensions,
  where: string,
): UNetArchitecture {
  const encoder = encoderOf(name, where);
  const residual = encoder === "residual";
  const unknown = [
    !kw.conv_op.endsWith(`Conv${dimensions}d`) && `conv_op ${kw.conv_op}`,
    !kw.norm_op?.endsWith(`InstanceNorm${dimensions}d`) && `norm_op ${kw.norm_op}`,
    !/(^|\.)(LeakyReLU|ReLU)$/.test(kw.nonlin ?? "") && `nonlin ${kw.nonlin}`,
    kw.bottleneck_channels && "bottleneck_channels",
    kw.squeeze_excitation && "squeeze_excitation",
    kw.block && !/(^|\.)BasicBlockD$/.test(kw.block) && `block ${kw.block}`,
    residual && kw.nonlin_first && "nonlin_first with ResidualEncoderUNet",
    !residual && kw.stem_channels && "stem_channels with PlainConvUNet",
  ].filter(Boolean);
  if (unknown.length > 0) throw new Error(`${where}: not supported: ${unknown.join(", ")}`);
  const blocks = residual ? kw.n_blocks_per_stage : kw.n_conv_per_stage;
  if (blocks === undefined)
    throw new Error(`${where}: ${residual ? "n_blocks_per_stage" : "n_conv_per_stage"} is missing`);
  return {
    encoder,
    features: levels(kw.features_per_stage, kw.n_stages),
    kernels: kw.kernel_sizes.map((kernel) => perAxis(kernel, dimensions)),
    strides: kw.strides.map((stride) => perAxis(stride, dimensions)),
    encoderBlocks: levels(blocks, kw.n_stages),
    decoderBlocks: levels(kw.n_conv_per_stage_decoder, kw.n_stages - 1),
    stem: kw.stem_channels ?? null,
    bias: kw.conv_bias,
    affine: kw.norm_op_kwargs?.affine ?? false,
    nonlinFirst: kw.nonlin_first,
    normEpsilon: kw.norm_op_kwargs?.eps ?? 1e-5,
    slope: kw.nonlin?.endsWith(".ReLU") ? 0 : (kw.nonlin_kwargs?.negative_slope ?? 0.01),
  };
}

/** Plans without the `architecture` block, such as TotalSegmentator's. nnU-Net builds them with biases and affine norms. */
function flatArchitecture(c: Configuration, dimensions: Dimensions, where: string): UNetArchitecture {
  const { UNet_base_num_features: base, unet_max_num_features: most, conv_kernel_sizes: kernels } = c;
  const { pool_op_kernel_sizes: strides, n_conv_per_stage_encoder: encoderBlocks } = c;
  const decoderBlocks = c.n_conv_per_stage_decoder;
  if (!base || !most || !kernels || !strides || !encoderBlocks || !decoderBlocks) {
    throw new Error(`${where} has neither an architecture block nor all of the older keys`);
  }
  return {
    encoder: encoderOf(c.UNet_class_name ?? "PlainConvUNet", where),
    features: kernels.map((_, i) => Math.min(base * 2 ** i, most)),
    kernels: kernels.map((kernel) => perAxis(kernel, dimensions)),
    strides: strides.map((stride) => perAxis(stride, dimensions)),
    encoderBlocks,
    decoderBlocks,
    stem: null,
    bias: true,
    affine: true,
    nonlinFirst: false,
    normEpsilon: 1e-5,
    slope: 0.01,
  };
}

function encoderOf(name: string, where: string): UNetArchitecture["encoder"] {
  if (/(^|\.)PlainConvUNet$/.test(name)) return "plain";
  if (/(^|\.)ResidualEncoderUNet$/.test(name)) return "residual";
  throw new Error(`${where}: network ${name} is not supported (PlainConvUNet and ResidualEncoderUNet are)`);
}

/** Sizes along z, y, x; along z 1 in two dimensions. */
function perAxis(value: number | number[], dimensions: Dimensions): number[] {
  const sizes = typeof value === "number" ? new Array<number>(dimensions).fill(value) : value;
  return dimensions === 2 ? [1, ...sizes] : sizes;
}

const levels = (value: number | number[], count: number) =>
  typeof value === "number" ? new Array<number>(count).fill(value) : value;
