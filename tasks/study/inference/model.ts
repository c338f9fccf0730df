/**
 * What predicting with a model takes, whatever its origin: plain data, stored as `model.json` beside the networks.
 * Axes are those of an array in C order (z, y, x) as read, until `transpose` is applied.
 */
import { z } from "zod";

const triple = z.tuple([z.number(), z.number(), z.number()]);

const normalisation = z.discriminatedUnion("scheme", [
  z.object({
    scheme: z.literal("ct"),
    low: z.number(),
    high: z.number(),
    mean: z.number(),
    deviation: z.number(),
  }),
  z.object({ scheme: z.literal("z-score"), useMask: z.boolean() }),
  z.object({ scheme: z.literal("none") }),
  z.object({ scheme: z.literal("to-0-1") }),
  z.object({ scheme: z.literal("rgb-to-0-1") }),
]);

const output = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("labels"), count: z.number().int().positive() }),
  /** Sigmoid heads; head i writes `values[i]`, later over earlier. */
  z.object({ kind: z.literal("regions"), values: z.array(z.number().int().nonnegative()) }),
]);

/** Value of each label in the label maps, by name, background left out. */
const labels = z.record(z.string(), z.number().int().positive());

export const networkModelSchema = z.object({
  /** 2: normalise then resample, mean of logits, weights' peak 10. 1: resample then normalise, mean of softmax, 1. */
  nnunet: z.union([z.literal(1), z.literal(2)]),
  name: z.string(),
  channels: z.number().int().positive(),
  /** True where images are brought to closest canonical (RAS) orientation before anything else. */
  reorient: z.boolean(),
  /** New axis i is old axis transpose[i]. */
  transpose: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
  /** Millimetres along the transposed axes. */
  spacing: triple,
  patch: triple,
  normalisation: z.array(normalisation),
  /** Whether thick slices are resampled one by one; null: where the spacings ask for it. */
  separateZ: z.object({ image: z.boolean().nullable(), output: z.boolean().nullable() }),
  output,
  /** Empty where the model names no labels (nnU-Net v1). */
  labels,
  /** Axes (0 to 2, transposed) that the training mirrored. */
  mirrorAxes: z.array(z.number().int().min(0).max(2)),
  /** Networks `NAME.onnx` beside this file, one for each fold. */
  folds: z.array(z.object({ fold: z.string(), file: z.string().regex(/^[\w-]+\.onnx$/) })).min(1),
});

export const totalSegmentatorSchema = z.object({
  name: z.string(),
  labels,
  /** Isotropic spacing of the networks in millimetres. */
  spacing: z.number().positive(),
  /** Share of the patch by which windows are apart. */
  step: z.number(),
  /** Folders of the parts, and the global id of each of their labels; later parts write over earlier ones. */
  parts: z
    .array(z.object({ folder: z.string().regex(/^[\w-]+$/), ids: z.array(z.number().int().nonnegative()) }))
    .min(1),
});

export const modelSchema = z.discriminatedUnion("kind", [
  networkModelSchema.extend({ kind: z.literal("nnunet") }),
  totalSegmentatorSchema.extend({ kind: z.literal("totalsegmentator") }),
]);

export type NetworkModel = z.infer<typeof networkModelSchema>;
export type Normalisation = z.infer<typeof normalisation>;
export type TotalSegmentatorModel = z.infer<typeof totalSegmentatorSchema>;
export type Model = z.infer<typeof modelSchema>;
