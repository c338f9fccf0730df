/**
 * Reads the parts of nnU-Net v2's plans.json and dataset.json that prediction needs.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/utilities/{plans_handling/plans_handler,label_handling/label_handling}.py.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { refusePlaceholder } from "../torch/checkpoint.ts";
import type { NetworkModel, Normalisation } from "./model.ts";
import { foreground, modelOutput, writtenLabels } from "./nnunet-v2-labels.ts";

/** Arguments of resample_data_or_seg_to_shape. */
const resamplingArguments = z.strictObject({
  is_seg: z.boolean().optional(),
  order: z.number().int(),
  order_z: z.number().int().default(0),
  force_separate_z: z.boolean().nullable().default(null),
  separate_z_anisotropy_threshold: z.literal(3).optional(),
});

const configuration = z.looseObject({ inherits_from: z.string().optional() });

const fullConfiguration = z.looseObject({
  patch_size: z.array(z.number().int().positive()).min(2).max(3),
  spacing: z.array(z.number().positive()).min(2).max(3),
  preprocessor_name: z.literal("DefaultPreprocessor").optional(),
  normalization_schemes: z.array(z.string()),
  use_mask_for_norm: z.array(z.boolean()),
  resampling_fn_data: z.string(),
  resampling_fn_data_kwargs: z.unknown(),
  resampling_fn_probabilities: z.string(),
  resampling_fn_probabilities_kwargs: z.unknown(),
  resampling_fn_seg: z.string().optional(),
  resampling_fn_seg_kwargs: z.unknown(),
  previous_stage: z.string().nullish(),
});

const intensity = z.looseObject({
  mean: z.number(),
  std: z.number(),
  percentile_00_5: z.number(),
  percentile_99_5: z.number(),
});

const plansSchema = z.looseObject({
  dataset_name: z.string(),
  image_reader_writer: z.string(),
  label_manager: z.literal("LabelManager").optional(),
  transpose_forward: z.tuple([z.number().int(), z.number().int(), z.number().int()]),
  configurations: z.record(z.string(), configuration),
  foreground_intensity_properties_per_channel: z.record(z.string(), intensity).optional(),
  foreground_intensity_properties_by_modality: z.record(z.string(), intensity).optional(),
});

/** nnU-Net also reads numbers that are written as text. */
const labelValue = z.union([z.number().int(), z.string().regex(/^\d+$/).transform(Number)], {
  error: "expected a whole number",
});

const datasetSchema = z.looseObject({
  channel_names: z.record(z.string(), z.string()).optional(),
  modality: z.record(z.string(), z.string()).optional(),
  labels: z.record(
    z.string(),
    z.union([labelValue, z.array(labelValue)], { error: "expected a whole number or a list of them" }),
  ),
  regions_class_order: z.array(z.number().int()).optional(),
  file_ending: z.string(),
});

export interface V2Plans {
  readonly model: Omit<NetworkModel, "mirrorAxes" | "folds">;
  readonly dimensions: 2 | 3;
  /** Channels of the network's input. */
  readonly inputs: number;
  /** Channels of the network's output. */
  readonly heads: number;
  /** The configuration with all its keys, and where it stands, for errors. */
  readonly configuration: unknown;
  readonly where: string;
}

/** Folder in a converted cascade that holds the first stage. */
export const PREVIOUS_STAGE = "previous_stage";

/** Reads both files of a model folder. Throws an Error that names the file and the wrong or unknown key. */
export async function readV2Plans(folder: string, name: string): Promise<V2Plans> {
  const plans = await readJson(`${folder}/plans.json`, plansSchema);
  const dataset = await readJson(`${folder}/dataset.json`, datasetSchema);
  const where = `${folder}/plans.json: configuration ${name}`;
  const own = inherit(plans.configurations, name, where);
  const c = checked(where, fullConfiguration, own);
  const dimensions = c.patch_size.length === 2 ? 2 : 3;
  if (c.spacing.length !== dimensions)
    throw new Error(`${where}: spacing has ${c.spacing.length} numbers, but patch_size has ${dimensions}`);
  const channels = Object.keys(dataset.channel_names ?? dataset.modality ?? {}).length;
  if (channels === 0) throw new Error(`${folder}/dataset.json names no channels`);
  const statistics =
    plans.foreground_intensity_properties_per_channel ?? plans.foreground_intensity_properties_by_modality;
  const output = modelOutput(dataset.labels, dataset.regions_class_order, `${folder}/dataset.json`);
  const values = c.previous_stage ? foreground(dataset.labels) : [];
  return {
    dimensions,
    inputs: channels + values.length,
    heads: output.kind === "labels" ? output.count : output.values.length,
    configuration: own,
    where,
    model: {
      nnunet: 2,
      name: plans.dataset_name,
      channels,
      reorient: reorients(plans.image_reader_writer, where),
      transpose: plans.transpose_forward,
      spacing: (dimensions === 2 ? [null, ...c.spacing] : c.spacing) as [number | null, number, number],
      patch: (dimensions === 2 ? [1, ...c.patch_size] : c.patch_size) as [number, number, number],
      normalisation: Array.from({ length: channels }, (_, i) =>
        normalisation(c.normalization_schemes[i], c.use_mask_for_norm[i] ?? false, statistics?.[i], where),
      ),
      separateZ: {
        image: separateZ(c.resampling_fn_data, c.resampling_fn_data_kwargs, 3, where),
        output: separateZ(c.resampling_fn_probabilities, c.resampling_fn_probabilities_kwargs, 1, where),
      },
      output,
      labels: writtenLabels(dataset.labels, output),
      ...(c.previous_stage && {
        previousStage: {
          folder: PREVIOUS_STAGE,
          values,
          separateZ: separateZ(c.resampling_fn_seg ?? "none", c.resampling_fn_seg_kwargs, 1, where),
        },
      }),
    },
  };
}

/** Names of the configurations in plans.json with the first stage that each one needs, or null. */
export async function readStages(folder: string): Promise<ReadonlyMap<string, string | null>> {
  const { configurations } = await readJson(`${folder}/plans.json`, plansSchema);
  const where = `${folder}/plans.json`;
  return new Map(
    Object.keys(configurations).map((name) => {
      const { previous_stage: stage } = inherit(configurations, name, where);
      return [name, typeof stage === "string" ? stage : null];
    }),
  );
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    const text = await readFile(path, "utf8");
    refusePlaceholder(text);
    // Python writes NaN and Infinity, which JSON does not know. They occur only in statistics that are not used.
    value = JSON.parse(text.replace(/(?<=[:[,]\s*)(NaN|-?Infinity)(?=\s*[,}\]])/g, "0"));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  return checked(path, schema, value);
}

function checked<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`${where}: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** The configuration with the keys that it inherits; its own keys win. */
function inherit(
  all: Readonly<Record<string, z.infer<typeof configuration>>>,
  name: string,
  where: string,
  seen: readonly string[] = [],
): Record<string, unknown> {
  const own = Object.hasOwn(all, name) ? all[name] : undefined;
  if (!own)
    throw new Error(`${where}: there is no configuration ${name}, only ${Object.keys(all).join(", ")}`);
  if (seen.includes(name)) throw new Error(`${where}: inherits_from goes in a circle`);
  const parent = own.inherits_from ? inherit(all, own.inherits_from, where, [...seen, name]) : {};
  return { ...parent, ...own };
}

function reorients(reader: string, where: string): boolean {
  if (reader === "NibabelIOWithReorient" || reader === "SimpleITKIOWithReorient") return true;
  if (reader === "NibabelIO" || reader === "SimpleITKIO") return false;
  throw new Error(`${where}: image reader ${reader} is not supported`);
}

function normalisation(
  scheme: string | undefined,
  useMask: boolean,
  statistics: z.infer<typeof intensity> | undefined,
  where: string,
): Normalisation {
  if (scheme === undefined) throw new Error(`${where}: a channel has no normalisation`);
  switch (scheme) {
    case "CTNormalization":
      if (!statistics) throw new Error(`${where}: CT normalisation without intensity statistics`);
      return {
        scheme: "ct",
        low: statistics.percentile_00_5,
        high: statistics.percentile_99_5,
        mean: statistics.mean,
        deviation: statistics.std,
      };
    case "ZScoreNormalization":
      return { scheme: "z-score", useMask };
    case "NoNormalization":
      return { scheme: "none" };
    case "RescaleTo01Normalization":
      return { scheme: "to-0-1" };
    case "RGBTo01Normalization":
      return { scheme: "rgb-to-0-1" };
    default:
      throw new Error(`${where}: normalisation ${scheme} is not known`);
  }
}

function separateZ(name: string, given: unknown, order: number, where: string): boolean | null {
  if (name !== "resample_data_or_seg_to_shape")
    throw new Error(`${where}: resampling ${name} is not supported (resample_data_or_seg_to_shape is)`);
  const kwargs = checked(`${where}: arguments of ${name}`, resamplingArguments, given);
  if (kwargs.order !== order || kwargs.order_z !== 0) {
    throw new Error(`${where}: resampling of order ${kwargs.order} (z: ${kwargs.order_z}) is not supported`);
  }
  return kwargs.force_separate_z;
}
