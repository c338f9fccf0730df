/**
 * Trains a DynUNet: pseudo-label generators, pre-training on a version of a dataset, fine-tuning from a checkpoint.
 * Input "stats" gives the labels of the cases, "grid" the spacing that they were brought to.
 * Not converging is a result: the checkpoint says so, and what starts from it is not trained.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { classNames, type ClassList } from "./lib/labels/labels.ts";
import { encodeCheckpoint, type Checkpoint } from "./lib/nn/checkpoint.ts";
import { caseOf, pathsOf } from "./lib/study/files.ts";
import {
  augmentationOf,
  CLASS_LISTS,
  network,
  optimizerOf,
  normalisation,
  statistics,
  training,
  triple,
} from "./lib/study/settings.ts";
import { memoryCase } from "./lib/training/cases.ts";
import { patchSource } from "./lib/training/patches.ts";
import { readStart } from "./lib/training/read-start.ts";
import { compareSettings, specOf } from "./lib/training/start.ts";
import { train } from "./lib/training/train.ts";
import { readLabels, readNifti } from "./lib/volume/nifti.ts";

export default task({
  params: z.strictObject({
    network,
    patch: triple,
    training,
    normalisation,
    /** Whether to start from the checkpoint given as input "start". */
    finetune: z.boolean(),
    /** Train only these classes of the labels: those of a published class list. */
    classes: z.enum(CLASS_LISTS).optional(),
    /** Widths of the levels, instead of the network's own; a number is the first one's, doubled from level to level. */
    filters: z.union([z.int().positive(), z.array(z.int().positive())]).optional(),
  }),
  async run(context) {
    const { params, input, output, scratch, signal, progress, log } = context;
    const { labels } = statisticsIn(input("stats"));
    const { spacing } = statisticsIn(input("grid"));
    const start = params.finetune ? await readStart(input("start")) : null;
    const channels = channelsOf(labels, params.classes);
    const lookup = Uint8Array.from({ length: 65536 }, () => 0);
    Object.entries(labels).forEach(([name, value]) => (lookup[value] = channels[name] ?? 0));
    const { filters, strides } = params.network;
    const shape = { ...params.network, filters: widths(params.filters ?? filters, strides.length) };
    const spec = specOf(shape, channels, start);
    const head = {
      spec,
      seed: params.training.seed,
      patch: params.patch,
      spacing,
      normalisation: params.normalisation,
      labels: channels,
    };
    if (start?.record?.outcome === "not-converged") {
      const { spec, labels } = start.record;
      save(output(), { ...notTrained(start.record), ...head, spec, labels });
      return;
    }
    if (start === null) log(`starts from random weights, seed ${params.training.seed}`);
    else compareSettings(start, head).forEach(log);
    const labelPaths = new Map(pathsOf(context, "labels").map((path) => [caseOf(path), path]));
    const cases = await Promise.all(
      pathsOf(context, "images").map(async (path) => {
        const id = caseOf(path);
        const labelPath = labelPaths.get(id);
        if (labelPath === undefined) throw new Error(`case ${id} has an image but no labels`);
        const volume = await readLabels(labelPath);
        return memoryCase(id, await readNifti(path), {
          ...volume,
          data: volume.data.map((v) => lookup[v] ?? 0),
        });
      }),
    );
    const { seed, epochs, batches, batch, foreground, augmentation } = params.training;
    const result = await train({
      spec,
      patch: params.patch,
      batch,
      batches: patchSource(cases, {
        batch,
        patch: params.patch,
        seed: `patches ${seed}`,
        foreground,
        augmentation: augmentationOf(augmentation),
      }),
      seed,
      epochs,
      batchesPerEpoch: batches,
      learningRate: params.training.learning_rate,
      optimizer: optimizerOf(params.training),
      threads: params.training.threads,
      scratch,
      signal,
      progress,
      log,
      ...(start && { start }),
    });
    save(output(), { ...head, ...result });
  },
});

function statisticsIn(path: string) {
  return statistics.parse(JSON.parse(readFileSync(path, "utf8")));
}

/** Label name → output channel. Channels are in the order of the label values; background is 0. */
function channelsOf(
  labels: { readonly [name: string]: number },
  list: ClassList | undefined,
): { [name: string]: number } {
  const known = list === undefined ? null : new Set(classNames(list));
  const names = Object.keys(labels)
    .filter((name) => known === null || known.has(name))
    .sort((a, b) => (labels[a] ?? 0) - (labels[b] ?? 0));
  return Object.fromEntries(names.map((name, i) => [name, i + 1]));
}

/** What is passed on from a pre-training that did not converge. */
function notTrained({ weights, moments, criterion }: Checkpoint) {
  return {
    weights,
    moments,
    step: 0,
    losses: [],
    outcome: "not-converged" as const,
    criterion: `pre-training: ${criterion ?? "unknown"}`,
  };
}

function save(path: string, checkpoint: Checkpoint): void {
  writeFileSync(path, encodeCheckpoint(checkpoint));
}

function widths(filters: number | readonly number[], levels: number): readonly number[] {
  if (typeof filters !== "number") return filters;
  return Array.from({ length: levels }, (_, level) => filters * 2 ** level);
}
