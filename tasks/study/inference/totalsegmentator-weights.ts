/** Finds the weights of TotalSegmentator's tasks among models of nnU-Net v2. */
import { basename } from "node:path";
import type { V2Folder } from "./v2-folder.ts";
import { datasetNumber, totalSegmentatorTask, totalSegmentatorTasks } from "./totalsegmentator-tasks.ts";

export interface TaskWeights {
  readonly task: string;
  /** Model folders of the parts, in the order of the task. */
  readonly folders: readonly string[];
  /** The task whose labels the image is cropped to. */
  readonly crop: TaskWeights | null;
  /** Model folder of the network that bounds the labels. */
  readonly refine: string | null;
}

/** The weights of a task, by the numbers of its datasets. Throws an Error that names those that are missing. */
export function resolveTask(name: string, models: readonly V2Folder[]): TaskWeights {
  const task = totalSegmentatorTask(name);
  const networks = task.datasets.map((dataset) => ({ dataset, model: task.model }));
  if (task.refine) networks.push(task.refine);
  const found = networks.map(({ dataset, model }) => [dataset, folderOf(dataset, model, models)] as const);
  const missing = found.flatMap(([dataset, folder]) => (folder === null ? [dataset] : []));
  if (missing.length > 0) {
    throw new Error(`TotalSegmentator's task ${name} needs ${missing.join(", ")}, which is not there`);
  }
  const folders = found.flatMap(([, folder]) => folder ?? []);
  return {
    task: name,
    folders: folders.slice(0, task.datasets.length),
    refine: folders[task.datasets.length] ?? null,
    crop: task.crop ? resolveTask(task.crop.task, models) : null,
  };
}

/** If a dataset has several models, this takes the one with the task's trainer and configuration. */
function folderOf(dataset: string, model: string, models: readonly V2Folder[]): string | null {
  const number = datasetNumber(dataset);
  const found = models.filter((m) => m.dataset !== null && datasetNumber(m.dataset) === number);
  if (found.length <= 1) return found[0]?.folder ?? null;
  const named = found.filter(({ folder }) => basename(folder) === model);
  if (named.length === 1) return named[0]!.folder;
  throw new Error(`${dataset}: several models are there, but not exactly one named ${model}`);
}

/** These datasets of the task total are recognised by number; all others by their full name. */
const TOTAL = new Set([291, 292, 293, 294, 295, 297, 298]);

/**
 * The task that needs exactly these models; null if they are no models of TotalSegmentator. Throws an Error if several
 * tasks need them, or if only the model for the crop is missing.
 */
export function taskOfFiles(models: readonly V2Folder[]): TaskWeights | null {
  const names = new Set([...totalSegmentatorTasks.values()].flatMap(({ datasets }) => datasets));
  const isTotal = (dataset: string) => TOTAL.has(datasetNumber(dataset) ?? 0);
  if (!models.every(({ dataset }) => dataset !== null && (names.has(dataset) || isTotal(dataset))))
    return null;
  const there = new Set(models.map(({ dataset }) => datasetNumber(dataset!)));
  const complete = [...totalSegmentatorTasks].filter(([, { datasets, refine }]) =>
    [...datasets, ...(refine ? [refine.dataset] : [])].every((dataset) => there.has(datasetNumber(dataset))),
  );
  const needed = (name: string): string[] => {
    const { datasets, crop, refine } = totalSegmentatorTasks.get(name)!;
    return [...datasets, ...(refine ? [refine.dataset] : []), ...(crop ? needed(crop.task) : [])];
  };
  const exact = complete.filter(([name]) => {
    const numbers = new Set(needed(name).map(datasetNumber));
    return numbers.size === there.size && [...numbers].every((number) => there.has(number));
  });
  if (exact.length === 1) return resolveTask(exact[0]![0], models);
  const tasks = (exact.length > 0 ? exact : complete).map(([name]) => name);
  if (tasks.length === 0) return null;
  if (tasks.length === 1) return resolveTask(tasks[0]!, models);
  throw new Error(
    `there are weights of several tasks of TotalSegmentator; leave those of one, or set task: ${tasks.join(" | ")}`,
  );
}
