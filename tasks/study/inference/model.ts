/**
 * All that prediction with a model needs, as plain data, stored as `model.json` beside the networks.
 * Axes are those of an array in C order (z, y, x) as read; `transpose` then reorders them.
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
  /** Sigmoid heads: head i writes `values[i]`, and later heads overwrite earlier ones. */
  z.object({ kind: z.literal("regions"), values: z.array(z.number().int().nonnegative()) }),
]);

/** Value of each label in the label maps, by name, without background. */
const labels = z.record(z.string(), z.number().int().positive());

export const networkModelSchema = z.object({
  /**
   * Version of nnU-Net. 2: normalise, then resample; mean of logits; window weights with peak 10.
   * 1: resample, then normalise; mean of softmax; window weights with peak 1.
   */
  nnunet: z.union([z.literal(1), z.literal(2)]),
  name: z.string(),
  channels: z.number().int().positive(),
  /** True if the reader first turns images to the closest canonical (RAS) orientation. */
  reorient: z.boolean(),
  /** New axis i is old axis transpose[i]. */
  transpose: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
  /** Target spacing in millimetres along the transposed axes. */
  spacing: triple,
  patch: triple,
  normalisation: z.array(normalisation),
  /** Whether thick slices are resampled one by one; null: decided by the spacings. */
  separateZ: z.object({ image: z.boolean().nullable(), output: z.boolean().nullable() }),
  output,
  /** Empty if the model names no labels (nnU-Net v1). */
  labels,
  /** Transposed axes (0 to 2) that the training mirrored. */
  mirrorAxes: z.array(z.number().int().min(0).max(2)),
  /** Networks `NAME.onnx` beside this file, one per fold. */
  folds: z.array(z.object({ fold: z.string(), file: z.string().regex(/^[\w-]+\.onnx$/) })).min(1),
});

export const totalSegmentatorSchema = z.object({
  name: z.string(),
  labels,
  /** Isotropic spacing of the networks in millimetres. */
  spacing: z.number().positive(),
  /** Distance between windows as a fraction of the patch. */
  step: z.number(),
  /** Folder of each part, and the global id of each of its labels. Later parts overwrite earlier ones. */
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
