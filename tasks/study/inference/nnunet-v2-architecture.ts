/**
 * Reads the network architecture from a configuration of nnU-Net v2's plans.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/utilities/plans_handling/plans_handler.py.
 */
import { z } from "zod";
import type { UNetArchitecture } from "../networks/unet.ts";

const size = z.union([z.number(), z.array(z.number())]);
const perLevel = z.union([z.number().int(), z.array(z.number().int())]);

/** Keys of a configuration: the block `architecture` of today's plans, or the flat keys of older plans. */
export const architectureKeys = {
  architecture: z
    .object({
      network_class_name: z.string(),
      arch_kwargs: z.looseObject({
        n_stages: z.number().int().min(2),
        features_per_stage: perLevel,
        conv_op: z.string(),
        kernel_sizes: z.array(size),
        strides: z.array(size),
        n_conv_per_stage: perLevel.optional(),
        n_blocks_per_stage: perLevel.optional(),
        n_conv_per_stage_decoder: perLevel,
        norm_op: z.string().nullable(),
        norm_op_kwargs: z.looseObject({ eps: z.number().default(1e-5) }).nullish(),
        nonlin: z.string().nullable(),
        nonlin_kwargs: z.looseObject({ negative_slope: z.number().default(0.01) }).nullish(),
        bottleneck_channels: z.unknown().optional(),
        squeeze_excitation: z.unknown().optional(),
      }),
    })
    .optional(),
  UNet_class_name: z.string().optional(),
  UNet_base_num_features: z.number().int().optional(),
  unet_max_num_features: z.number().int().optional(),
  n_conv_per_stage_encoder: z.array(z.number().int()).optional(),
  n_conv_per_stage_decoder: z.array(z.number().int()).optional(),
  pool_op_kernel_sizes: z.array(z.array(z.number().int())).optional(),
  conv_kernel_sizes: z.array(z.array(z.number().int())).optional(),
};
type Configuration = z.infer<z.ZodObject<typeof architectureKeys>>;

/** Throws an Error that begins with `where` if the network is not supported. */
export function readArchitecture(c: Configuration, where: string): UNetArchitecture {
  return c.architecture ? newArchitecture(c.architecture, where) : flatArchitecture(c, where);
}

function newArchitecture(a: NonNullable<Configuration["architecture"]>, where: string): UNetArchitecture {
  const kw = a.arch_kwargs;
  const encoder = encoderOf(a.network_class_name, where);
  const unknown = [
    !kw.conv_op.endsWith("Conv3d") && `conv_op ${kw.conv_op}`,
    !kw.norm_op?.endsWith("InstanceNorm3d") && `norm_op ${kw.norm_op}`,
    !/(^|\.)(LeakyReLU|ReLU)$/.test(kw.nonlin ?? "") && `nonlin ${kw.nonlin}`,
    kw.bottleneck_channels && "bottleneck blocks",
    kw.squeeze_excitation && "squeeze and excitation",
  ].filter(Boolean);
  if (unknown.length > 0) throw new Error(`${where}: not supported: ${unknown.join(", ")}`);
  const blocks = kw.n_blocks_per_stage ?? kw.n_conv_per_stage;
  if (blocks === undefined) throw new Error(`${where}: n_conv_per_stage is missing`);
  return checkedArchitecture(
    {
      encoder,
      features: levels(kw.features_per_stage, kw.n_stages),
      kernels: kw.kernel_sizes.map(triple),
      strides: kw.strides.map(triple),
      encoderBlocks: levels(blocks, kw.n_stages),
      decoderBlocks: levels(kw.n_conv_per_stage_decoder, kw.n_stages - 1),
      normEpsilon: kw.norm_op_kwargs?.eps ?? 1e-5,
      slope: kw.nonlin?.endsWith(".ReLU") ? 0 : (kw.nonlin_kwargs?.negative_slope ?? 0.01),
    },
    where,
  );
}

/** Plans without the `architecture` block, such as TotalSegmentator's. */
function flatArchitecture(c: Configuration, where: string): UNetArchitecture {
  const { UNet_base_num_features: base, unet_max_num_features: most, conv_kernel_sizes: kernels } = c;
  const { pool_op_kernel_sizes: strides, n_conv_per_stage_encoder: encoderBlocks } = c;
  const decoderBlocks = c.n_conv_per_stage_decoder;
  if (!base || !most || !kernels || !strides || !encoderBlocks || !decoderBlocks) {
    throw new Error(`${where} has neither an architecture block nor all of the older keys`);
  }
  const encoder = encoderOf(c.UNet_class_name ?? "PlainConvUNet", where);
  const features = kernels.map((_, i) => Math.min(base * 2 ** i, most));
  return checkedArchitecture(
    { encoder, features, kernels, strides, encoderBlocks, decoderBlocks, normEpsilon: 1e-5, slope: 0.01 },
    where,
  );
}

function checkedArchitecture(a: UNetArchitecture, where: string): UNetArchitecture {
  const n = a.features.length;
  const lengths = [a.kernels.length, a.strides.length, a.encoderBlocks.length, a.decoderBlocks.length + 1];
  if (lengths.some((length) => length !== n))
    throw new Error(`${where}: the network's lists differ in length`);
  return a;
}

function encoderOf(name: string, where: string): UNetArchitecture["encoder"] {
  if (/(^|\.)PlainConvUNet$/.test(name)) return "plain";
  if (/(^|\.)ResidualEncoderUNet$/.test(name)) return "residual";
  throw new Error(`${where}: network ${name} is not supported (PlainConvUNet and ResidualEncoderUNet are)`);
}

const triple = (value: number | number[]) => (typeof value === "number" ? [value, value, value] : value);
const levels = (value: number | number[], count: number) =>
  typeof value === "number" ? new Array<number>(count).fill(value) : value;
