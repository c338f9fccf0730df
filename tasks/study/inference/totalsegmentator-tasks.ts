/**
 * The tasks of TotalSegmentator 2.18: which networks they need and what is done around them. A task with a faster
 * network is also there as NAME_fast or NAME_fastest.
 * Source: wasserth/TotalSegmentator totalsegmentator/{map_tasks_config,map_to_binary,python_api}.py.
 */
import { z } from "zod";
import tasks from "./totalsegmentator-tasks.json" with { type: "json" };

const triple = z.tuple([z.number(), z.number(), z.number()]);

const schema = z.record(
  z.string(),
  z.strictObject({
    modality: z.enum(["CT", "MR"]),
    /** Folders of the parts' weights; later parts overwrite earlier ones. */
    datasets: z.array(z.string()),
    /** Folder in it, Trainer__Plans__configuration. */
    model: z.string(),
    /** Folds to average; null: all. */
    folds: z.array(z.string()).nullable(),
    /** Millimetres along x, y, z of the canonical image that the networks get; null: its own. */
    spacing: triple.nullable(),
    /** Distance between windows as a fraction of the patch. */
    step: z.number(),
    /** Value of each class by name. */
    classes: z.record(z.string(), z.number().int().positive()),
    /** Classes of the network that become background. */
    dropped: z.array(z.string()).optional(),
    /** The image is first cropped to these classes of another task; margin in millimetres along the stored axes. */
    crop: z.strictObject({ task: z.string(), classes: z.array(z.string()), margin: triple }).optional(),
    /** Only voxels so near to these classes of the cropping task keep their label. */
    keepNear: z.strictObject({ classes: z.array(z.string()), millimetres: z.number() }).optional(),
    /** A clean-up of the joined labels. */
    cleanUp: z.enum(["body", "vertebrae"]).optional(),
    /** Another network whose class 1 bounds the labels. */
    refine: z.strictObject({ dataset: z.string(), model: z.string() }).optional(),
  }),
);

export type TotalSegmentatorTask = z.infer<typeof schema>[string];

export const totalSegmentatorTasks: ReadonlyMap<string, TotalSegmentatorTask> = new Map(
  Object.entries(schema.parse(tasks)),
);

/** The task of that name. Throws an Error that lists the known names. */
export function totalSegmentatorTask(name: string): TotalSegmentatorTask {
  const task = totalSegmentatorTasks.get(name);
  if (!task) {
    const known = [...totalSegmentatorTasks.keys()].join(", ");
    throw new Error(`TotalSegmentator has no task ${name}, only ${known}`);
  }
  return task;
}

/** Number of a dataset, from its folder's name. */
export function datasetNumber(folder: string): number | null {
  const [, digits] = /^Dataset(\d{3})_/.exec(folder) ?? [];
  return digits === undefined ? null : Number(digits);
}

/**
 * The class value in a task for each label value of a part, by name. `labels` gives the part's values by name.
 * Throws an Error that begins with `where` for a label that is no class of the task.
 */
export function idsByName(
  labels: Readonly<Record<string, number>>,
  { classes, dropped = [] }: TotalSegmentatorTask,
  where: string,
): number[] {
  const ids = [0];
  for (const [name, value] of Object.entries(labels)) {
    const id = dropped.includes(name) ? 0 : classes[name];
    if (id === undefined) throw new Error(`${where}: ${name} is no class of this task of TotalSegmentator`);
    ids[value] = id;
  }
  return Array.from(ids, (id) => id ?? 0);
}
