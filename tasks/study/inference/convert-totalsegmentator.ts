/** Converts the weights of a task of TotalSegmentator to ONNX. */
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeJson } from "../json.ts";
import type { Model, TotalSegmentatorModel } from "./model.ts";
import type { NetworkChoice } from "./folds.ts";
import { convertV2 } from "./nnunet-v2.ts";
import { REFINE, ROUGH } from "./totalsegmentator.ts";
import { idsByName, type TotalSegmentatorTask, totalSegmentatorTask } from "./totalsegmentator-tasks.ts";
import type { TaskWeights } from "./totalsegmentator-weights.ts";

/**
 * Writes `model.json`, one folder for each part, and the models of a crop and a refinement. `order` is that of
 * the splines that resample images. Throws an Error if a label of a part is no class of the task.
 */
export async function convertTotalSegmentator(
  { task: name, folders, crop, refine }: TaskWeights,
  out: string,
  order: 1 | 3,
  choice: NetworkChoice,
): Promise<TotalSegmentatorModel> {
  const task = totalSegmentatorTask(name);
  const parts: TotalSegmentatorModel["parts"] = [];
  // The package never mirrors, whatever the checkpoint allows.
  const convert = (source: string, folder: string) =>
    convertV2(source, join(out, folder), { ...choice, folds: task.folds ?? undefined }, (model) => ({
      ...model,
      mirrorAxes: [],
    }));
  for (const [i, source] of folders.entries()) {
    const folder = `part${i + 1}_${basename(dirname(source)).replace(/[^\w-]/g, "_")}`;
    const { labels } = await convert(source, folder);
    parts.push({ folder, ids: idsByName(labels, task, `${source}/dataset.json`) });
  }
  if (refine !== null) await convert(refine, REFINE);
  const model: TotalSegmentatorModel = {
    name: `TotalSegmentator (${name})`,
    labels: task.classes,
    spacing: task.spacing,
    order,
    step: task.step,
    parts,
    ...(crop && task.crop && { crop: await convertCrop(crop, task.crop, out, order, choice) }),
    ...(crop && task.keepNear && { keepNear: nearness(crop, task.keepNear) }),
    ...(task.cleanUp && { cleanUp: task.cleanUp }),
    ...(refine !== null && { refine: true }),
  };
  await mkdir(out, { recursive: true });
  const file: Model = { kind: "totalsegmentator", ...model };
  writeJson(join(out, "model.json"), file);
  return model;
}

async function convertCrop(
  weights: TaskWeights,
  { classes, margin }: NonNullable<TotalSegmentatorTask["crop"]>,
  out: string,
  order: 1 | 3,
  choice: NetworkChoice,
) {
  await convertTotalSegmentator(weights, join(out, ROUGH), order, choice);
  return { values: valuesOf(weights, classes), margin };
}

function nearness(
  weights: TaskWeights,
  { classes, millimetres }: NonNullable<TotalSegmentatorTask["keepNear"]>,
) {
  return { values: valuesOf(weights, classes), millimetres };
}

function valuesOf({ task }: TaskWeights, classes: readonly string[]): number[] {
  const values = totalSegmentatorTask(task).classes;
  return classes.map((name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`TotalSegmentator's task ${task} has no class ${name}`);
    return value;
  });
}
