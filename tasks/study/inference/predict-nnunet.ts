/** Predicts with one converted nnU-Net: preprocessing, sliding window, mean over folds, export. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Backend } from "../nn/backend.ts";
import { openNetwork } from "../nn/network.ts";
import type { ResampleCrew } from "../resample/crew.ts";
import { fromCanonical, toCanonical } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { exportLabels } from "./export.ts";
import { type Model, modelSchema, type NetworkModel } from "./model.ts";
import { preprocess, type Preprocessed } from "./preprocess.ts";
import { predictVolume } from "./predict-volume.ts";

export interface PredictSettings extends Backend {
  /** Distance between windows as a fraction of the patch. Default: the model's own (0.5; TotalSegmentator 0.8). */
  readonly step?: number;
  /** Test-time mirroring. "auto" (default): as in the training. "off": never. "on": refuse a model trained without it. */
  readonly mirror?: "auto" | "on" | "off";
  /** Names of the folds to use ("0", "all"); see chooseFolds for the default. */
  readonly folds?: readonly string[];
  /** Threads that resample; predictCase brings its own. */
  readonly crew?: ResampleCrew;
  readonly signal?: AbortSignal;
  /** Called with the fraction that is done, 0 to 1. */
  readonly progress?: (fraction: number) => void;
}

/** Reads `model.json` of a converted model. Throws an Error that names the file. */
export async function readModel(folder: string): Promise<Model> {
  const path = join(folder, "model.json");
  try {
    return modelSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new Error(`${path}: not a converted model: ${(cause as Error).message}`, { cause });
  }
}

/** Labels on the grid of `volumes`, which are the channels of one case as read. `folder` holds the model's networks. */
export async function predictVolumes(
  folder: string,
  model: NetworkModel,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<LabelVolume> {
  const { outputs, input, turned } = await predictOutputs(folder, model, volumes, settings);
  const labels = await exportLabels(model, outputs, input, turned[0]!, settings.crew);
  return model.reorient ? fromCanonical(labels, volumes[0]!) : labels;
}

/**
 * The outputs of predictPreprocessed, what preprocessing did, and the volumes in the orientation that the model reads.
 * For the second stage of a cascade, it predicts the first stage too.
 */
export async function predictOutputs(
  folder: string,
  model: NetworkModel,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<{ outputs: Float32Array[]; input: Preprocessed; turned: readonly Volume[] }> {
  const { folds } = checked(model, settings);
  // Report an unusable device before the work begins.
  await openNetwork(join(folder, folds[0]!.file), settings);
  const turned = model.reorient ? volumes.map((volume) => toCanonical(volume)) : volumes;
  const stages = model.previousStage ? 2 : 1;
  const part = (stage: number): PredictSettings => {
    const { progress } = settings;
    if (!progress) return settings;
    return { ...settings, progress: (fraction) => progress((stage + fraction) / stages) };
  };
  const previous = model.previousStage
    ? await predictPrevious(join(folder, model.previousStage.folder), volumes, part(0))
    : undefined;
  const oriented = previous && model.reorient ? toCanonical(previous) : previous;
  const input = await preprocess(model, turned, settings.crew, oriented);
  const outputs = await predictPreprocessed(folder, model, input, part(stages - 1));
  return { outputs, input, turned };
}

async function predictPrevious(
  folder: string,
  volumes: readonly Volume[],
  settings: PredictSettings,
): Promise<LabelVolume> {
  const model = await readModel(folder);
  if (model.kind !== "nnunet") throw new Error(`${folder}: not an nnU-Net`);
  return predictVolumes(folder, model, volumes, settings);
}

/**
 * Mean over the folds of the merged windows: logits (v2) or probabilities (v1), one array of shape `input.shape` for
 * each head.
 */
export async function predictPreprocessed(
  folder: string,
  model: NetworkModel,
  input: Pick<Preprocessed, "data" | "shape">,
  settings: PredictSettings,
): Promise<Float32Array[]> {
  const { step = 0.5, signal, progress } = settings;
  const { folds, mirrorAxes } = checked(model, settings);
  const networks = [];
  for (const { file } of folds) networks.push(await openNetwork(join(folder, file), settings));
  return predictVolume(networks, { input: "input", output: "output" }, input.data, input.shape, {
    patch: model.patch,
    step,
    mirrorAxes,
    weights: model.nnunet === 2 ? 10 : 1,
    ...(signal && { signal }),
    ...(progress && { progress }),
  });
}

/** Resolves mirroring and folds. Throws an Error if the settings ask for something that the model does not have. */
function checked(model: NetworkModel, { mirror = "auto", folds }: PredictSettings) {
  if (mirror === "on" && model.mirrorAxes.length === 0) {
    throw new Error(`${model.name} does not allow mirroring at prediction (mirror: on)`);
  }
  return { mirrorAxes: mirror === "off" ? [] : model.mirrorAxes, folds: chooseFolds(model, folds) };
}

/** The wanted folds. Default, as in nnU-Net: all numbered folds; the fold "all" only if there is no other. */
function chooseFolds(model: NetworkModel, wanted: readonly string[] | undefined): NetworkModel["folds"] {
  if (!wanted) {
    const numbered = model.folds.filter(({ fold }) => fold !== "all");
    return numbered.length > 0 ? numbered : model.folds;
  }
  return wanted.map((name) => {
    const fold = model.folds.find((f) => f.fold === name);
    if (!fold) {
      const known = model.folds.map((f) => f.fold).join(", ");
      throw new Error(`${model.name} has no fold ${name}, only ${known}`);
    }
    return fold;
  });
}
