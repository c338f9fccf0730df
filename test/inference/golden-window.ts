/** Compares one window of a converted nnU-Net with the recorded ones. */
import type { Shape } from "../../tasks/study/arrays.ts";
import type { NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictPreprocessed, type PredictSettings } from "../../tasks/study/inference/predict-nnunet.ts";
import type { NpyArray } from "../helpers/npz.ts";
import { cutWindow, greatestDifference, joined, split } from "./golden-network.ts";

/**
 * Predicts the window at `start` of the preprocessed `data` (channels, ...shape), plain and mirrored, with all folds.
 * Returns the greatest difference from the mean over the folds of nnU-Net's logits.
 */
export async function windowDifference(
  folder: string,
  model: NetworkModel,
  { data, shape }: { readonly data: Float32Array; readonly shape: Shape },
  start: readonly number[],
  golden: ReadonlyMap<string, NpyArray>,
  settings: PredictSettings = { threads: 2 },
): Promise<number> {
  const channels = data.length / (shape[0] * shape[1] * shape[2]);
  const patch = model.patch as Shape;
  const window = cutWindow(data, [channels, ...shape], start, patch);
  const difference = async (mirror: "auto" | "off", name: string) => {
    const logits = await predictPreprocessed(
      folder,
      model,
      { data: window, shape: patch },
      { ...settings, mirror },
    );
    const recorded = golden.get(name)!;
    const folds = split(recorded.data as Float32Array, recorded.shape[0]!);
    const mean = folds[0]!.map((_, i) => folds.reduce((sum, fold) => sum + fold[i]!, 0) / folds.length);
    return greatestDifference(joined(logits), mean);
  };
  const plain = await difference("off", "window_logits_plain");
  return Math.max(
    plain,
    golden.has("window_logits_mirrored") ? await difference("auto", "window_logits_mirrored") : 0,
  );
}
