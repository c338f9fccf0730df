/**
 * Trains a DynUNet: a pseudo-label generator, a pre-training on one version of a dataset, or a fine-tuning.
 * A training that does not converge is a result: the checkpoint says so, and a fine-tuning from it does not train.
 */
import { writeFileSync } from "node:fs";
import { task, type TaskContext } from "lq";
import { z } from "zod";
import type { Triple } from "./study/arrays.ts";
import { classNames, type ClassList } from "./study/labels/labels.ts";
import { encodeCheckpoint, type Checkpoint } from "./study/nn/checkpoint.ts";
import { caseOf, pathsOf } from "./study/datasets/input-files.ts";
import {
  CLASS_LISTS,
  network,
  normalisation,
  readNetworkPlan,
  readStatistics,
  training,
  triple,
} from "./study/params/settings.ts";
import { reading } from "./study/volume/reading.ts";
import { IGNORED } from "./study/nn/autodiff/loss.ts";
import { trainOn } from "./study/training/train-on.ts";
import { readStart } from "./study/training/read-start.ts";
import type { NetworkPlan } from "./study/training/plan-network.ts";
import { compareSettings, specOf } from "./study/training/start.ts";
import { type CaseFiles, haveSpacing, openCases } from "./study/training/volumes.ts";

export default task({
  params: z.strictObject({
    /** Without these two, they are in the file given as input "plan". */
    network: network.optional(),
    patch: triple.optional(),
    training,
    normalisation,
    reading,
    /** Whether to start from the checkpoint given as input "start". */
    finetune: z.boolean(),
    /** Train only the labels that are classes of this published class list. */
    classes: z.enum(CLASS_LISTS).optional(),
    /** Channels of each level, instead of `network.filters`. One number: channels of the first level, doubled at each level. */
    filters: z
      .union([z.int().positive(), z.array(z.int().positive())], {
        error: "expected a whole number above 0, or a list of them",
      })
      .optional(),
  }),
  async run(context) {
    const { params, input, output, log } = context;
    const { network, patch } = planOf(params, input);
    const { labels, ignore, spacing } = readStatistics(input("stats"));
    const files = filesOf(context);
    const start = params.finetune ? await readStart(input("start")) : null;
    const channels = channelsOf(labels, params.classes);
    const channelOf = new Uint8Array(65536); // by label value
    Object.entries(labels).forEach(([name, value]) => (channelOf[value] = channels[name] ?? 0));
    if (ignore !== undefined) channelOf[ignore] = IGNORED;
    const { filters, strides } = network;
    const shape = { ...network, filters: widths(params.filters ?? filters, strides.length) };
    const spec = specOf(shape, channels, start);
    const head = {
      spec,
      seed: params.training.seed,
      patch,
      spacing: await spacingOf(files, start?.record?.spacing, spacing),
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
    const tolerance = params.reading.grid_tolerance;
    const cases = await openCases(files, channelOf, { tolerance });
    const result = await trainOn(
      cases,
      spec,
      { ...context, params: { ...params, patch } },
      { start, ignore: ignore !== undefined },
    );
    save(output(), { ...head, ...result });
  },
});

function planOf(
  { network, patch }: { readonly [K in keyof NetworkPlan]?: NetworkPlan[K] | undefined },
  input: TaskContext<unknown>["input"],
): NetworkPlan {
  return network && patch ? { network, patch } : readNetworkPlan(input("plan"));
}

/** Pairs each image with the labels of the same case. Throws an Error for an image without labels. */
function filesOf(context: Pick<TaskContext<unknown>, "inputs" | "files">): CaseFiles[] {
  const labels = new Map(pathsOf(context, "labels").map((path) => [caseOf(path), path]));
  return pathsOf(context, "images").map((image) => {
    const id = caseOf(image);
    const own = labels.get(id);
    if (own === undefined) throw new Error(`case ${id} has an image but no labels`);
    return { id, image, labels: own };
  });
}

/** The first candidate spacing that the volumes have; null if they have neither (they are on another dataset's grid). */
async function spacingOf(files: CaseFiles[], ...candidates: readonly (Triple | null | undefined)[]) {
  for (const spacing of candidates) if (spacing && (await haveSpacing(files, spacing))) return spacing;
  return null;
}

/** Output channel of each label name. Channels follow the order of the label values; background is channel 0. */
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

/** The checkpoint to write when the pre-training did not converge: its weights, marked as not converged. */
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
