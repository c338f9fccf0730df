/** Params that several tasks share. */
import { z } from "zod";
import { readJson } from "../json.ts";
import type { ClassList } from "../labels/labels.ts";

/** The published class lists that a generator may predict. */
export const CLASS_LISTS = [
  "stunet",
  "totalsegmentator-v1",
  "totalsegmentator-v2",
] as const satisfies ClassList[];

export const triple = z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]);

/** Two numbers, the first below the second. */
export const interval = z.tuple([z.number(), z.number()]).refine(([low, high]) => low < high, {
  error: ({ input }) => `expected a lower and a higher number, not ${JSON.stringify(input)}`,
});

/** Hounsfield units x are clipped to `clip`, then become (x − mean) / std. */
export const normalisation = z.strictObject({
  clip: interval,
  mean: z.number(),
  std: z.number().positive(),
});
export type Normalisation = z.infer<typeof normalisation>;

/** A DynUNet, without its numbers of input and output channels. Kernels and strides are z, y, x. */
export const network = z.strictObject({
  kernels: z.array(triple).min(3),
  strides: z.array(triple).min(3),
  filters: z.array(z.int().positive()),
  heads: z.int().nonnegative(),
  residual: z.boolean(),
});

/** What a planned network is made of; see training/plan-network.ts. */
export const planning = z.strictObject({
  /** Voxels of a patch, about. */
  voxels: z.int().min(512),
  /** Channels of each level; a small patch gets fewer levels. */
  filters: z.array(z.int().positive()).min(3),
  heads: network.shape.heads,
  residual: network.shape.residual,
});

/** Settings of the PyTorch backend; see Backend in nn/backend.ts. */
const torch = {
  precision: z.enum(["fp32", "tf32", "amp"]).default("fp32"),
  /** The version of PyTorch, or its beginning: results may depend on it, so it is part of the key. */
  torch: z
    .string()
    .nullish()
    .transform((version) => version ?? undefined),
};

/** `backend: torch` needs the version; a precision other than fp32 needs torch. */
export function checkBackend(
  { backend, precision, torch }: { backend: string; precision: string; torch?: string | undefined },
  context: { addIssue(issue: { code: "custom"; path: string[]; message: string }): void },
): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (backend === "torch" && torch === undefined)
    refuse(
      "torch",
      'backend: torch needs the version of PyTorch that makes the results, such as torch: "2.4"',
    );
  if (backend === "onnx" && precision !== "fp32")
    refuse("precision", `precision: ${precision} needs backend: torch`);
}

const trainingFields = z.strictObject({
  seed: z.int(),
  epochs: z.int().positive(),
  /** Mini-batches per epoch, independent of the number of cases. */
  batches: z.int().positive(),
  batch: z.int().positive(),
  learning_rate: z.number().positive(),
  weight_decay: z.number().nonnegative(),
  /** AdamW's decay rates of the running means of the gradient and of its square. */
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]),
  /** CPU threads. The last digits of the weights depend on their number, so it is part of the key. */
  threads: z.int().positive().default(1),
  /** onnx needs nothing else; torch needs a Python that has PyTorch. */
  backend: z.enum(["onnx", "torch"]).default("onnx"),
  ...torch,
  /** Probability that a patch is centred on a labelled voxel. */
  foreground: z.number().min(0).max(1),
  augmentation: z.strictObject({
    flip: z.array(z.enum(["x", "y", "z"])).optional(),
    scale: z
      .tuple([z.number().positive(), z.number().positive()])
      .refine(([low, high]) => low <= high, {
        error: ({ input }) => `expected the least and the greatest factor, not ${JSON.stringify(input)}`,
      })
      .optional(),
    noise: z.number().nonnegative().optional(),
    contrast: z.number().nonnegative().optional(),
    brightness: z.number().nonnegative().optional(),
  }),
});
export const training = trainingFields.superRefine(checkBackend);

/** Where inference runs. `auto`: torch if the task holds a device and PyTorch sees it, else onnx. */
export const inferenceBackend = { backend: z.enum(["onnx", "torch", "auto"]).default("auto"), ...torch };

/** Sliding-window inference; `step` is the distance of windows as a share of the patch. */
export const inference = z
  .strictObject({ step: z.number().gt(0).max(1), ...inferenceBackend })
  .superRefine(checkBackend);
export type Inference = z.infer<typeof inference>;

const networkPlan = z.object({ network, patch: triple });

/** Reads plans/DATASET.json. Throws an Error that names the file and says what does not fit. */
export function readNetworkPlan(path: string): z.infer<typeof networkPlan> {
  return readJson(path, networkPlan);
}

const statistics = z.object({
  spacing: z.tuple([z.number(), z.number(), z.number()]),
  labels: z.record(z.string(), z.int()),
  ignore: z.int().optional(),
});

/**
 * Reads from stats/DATASET.json: the spacing along the patient's x, y, z in millimetres, and the label values by name.
 * @throws Error that names the file and says what does not fit
 */
export function readStatistics(path: string): z.infer<typeof statistics> {
  return readJson(path, statistics);
}
