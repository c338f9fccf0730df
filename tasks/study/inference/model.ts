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
  /** Target spacing in millimetres along the transposed axes; null (2D networks): the image's own along the first. */
  spacing: z.tuple([z.number().nullable(), z.number(), z.number()]),
  /** Voxels along the transposed axes; 1 along the first for 2D networks. */
  patch: triple,
  normalisation: z.array(normalisation),
  /** Whether thick slices are resampled one by one; null: decided by the spacings. */
  separateZ: z.object({ image: z.boolean().nullable(), output: z.boolean().nullable() }),
  output,
  /** Empty if the model names no labels (nnU-Net v1). */
  labels,
  /**
   * For the second stage of a cascade: folder of the first stage, and the label values whose 0/1 masks follow the image
   * channels.
   */
  previousStage: z
    .object({
      folder: z.string().regex(/^[\w-]+$/),
      values: z.array(z.number().int().positive()),
      separateZ: z.boolean().nullable(),
    })
    .optional(),
  /** Transposed axes (0 to 2) that the training mirrored. */
  mirrorAxes: z.array(z.number().int().min(0).max(2)),
  /** Networks `NAME.onnx` beside this file, one per fold. */
  folds: z.array(z.object({ fold: z.string(), file: z.string().regex(/^[\w-]+\.onnx$/) })).min(1),
});

/** Steps of nnU-Net's postprocessing: label values whose union keeps its largest component. */
const postprocessing = z.array(z.array(z.number().int().positive())).optional();

/** Configurations of nnU-Net v2 whose probabilities are averaged. */
export const ensembleSchema = z.object({
  name: z.string(),
  labels,
  output,
  /** Folders of the converted configurations. */
  members: z.array(z.string().regex(/^[\w-]+$/)).min(1),
});

export const totalSegmentatorSchema = z.object({
  name: z.string(),
  labels,
  /** Spacing of the networks along x, y, z of the canonical image in millimetres; null: the image's own. */
  spacing: triple.nullable(),
  /** Order of the splines that resample the image: 1 since TotalSegmentator 2.16, 3 before. */
  order: z.union([z.literal(1), z.literal(3)]),
  /** Distance between windows as a fraction of the patch. */
  step: z.number(),
  /** Folder of each part, and the global id of each of its labels. Later parts overwrite earlier ones. */
  parts: z
    .array(z.object({ folder: z.string().regex(/^[\w-]+$/), ids: z.array(z.number().int().nonnegative()) }))
    .min(1),
  /** The rough model in the folder `rough`, its label values to crop to, and the margin in mm along the stored axes. */
  crop: z.object({ values: z.array(z.number()), margin: triple }).optional(),
  /** Labels stay only so near to these label values of the rough model. */
  keepNear: z.object({ values: z.array(z.number()), millimetres: z.number() }).optional(),
  cleanUp: z.enum(["body", "vertebrae"]).optional(),
  /** Whether class 1 of the network in the folder `refine` bounds the labels. */
  refine: z.boolean().optional(),
});

export const modelSchema = z.discriminatedUnion("kind", [
  networkModelSchema.extend({ kind: z.literal("nnunet"), postprocessing }),
  ensembleSchema.extend({ kind: z.literal("ensemble"), postprocessing }),
  totalSegmentatorSchema.extend({ kind: z.literal("totalsegmentator") }),
]);

export type NetworkModel = z.infer<typeof networkModelSchema>;
export type Normalisation = z.infer<typeof normalisation>;
export type EnsembleModel = z.infer<typeof ensembleSchema>;
export type TotalSegmentatorModel = z.infer<typeof totalSegmentatorSchema>;
export type Model = z.infer<typeof modelSchema>;
