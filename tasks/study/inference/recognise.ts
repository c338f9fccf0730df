/** Recognises models by their files. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { V2Folder } from "./v2-folder.ts";
import { readStages } from "./nnunet-v2-plans.ts";
import { resolveTask, type TaskWeights, taskOfFiles } from "./totalsegmentator-weights.ts";

/** What to take of a folder with several models. */
export interface ModelChoice {
  /** Configuration of nnU-Net v2, or several whose probabilities are averaged. */
  readonly configuration?: string | readonly string[] | undefined;
  /** Task of TotalSegmentator. */
  readonly task?: string | undefined;
}

/** A configuration with the first stage that it needs as a cascade. */
export interface V2Member extends V2Folder {
  readonly previous: V2Folder | null;
}

export type RecognisedModel =
  | { readonly kind: "nnunet-v2"; readonly members: readonly V2Member[] }
  /** Includes STU-Net, which is recognised by the names of its weights. */
  | { readonly kind: "nnunet-v1"; readonly folder: string }
  | { readonly kind: "totalsegmentator"; readonly weights: TaskWeights }
  /** SAM or MedSAM. */
  | { readonly kind: "sam"; readonly checkpoint: string };

type Found = V2Folder | Exclude<RecognisedModel, { kind: "totalsegmentator" | "nnunet-v2" }>;

/** How deep the search goes. A model of v1 lies in RESULTS/nnUNet/CONFIGURATION/TASK/TRAINER. */
const maxDepth = 6;

/**
 * Finds the model in a folder or its subfolders. nnU-Net v2 has plans.json; v1 and STU-Net have plans.pkl;
 * TotalSegmentator has the networks of one of its tasks; SAM is a single .pth file. If there is no model, or more than
 * one and no choice, throws an Error that says what was expected and what was found.
 */
export async function recogniseModel(
  folder: string,
  { configuration, task }: ModelChoice = {},
): Promise<RecognisedModel> {
  const found = await findModels(folder);
  const v2 = found.filter((model) => model.kind === "nnunet-v2");
  if (task !== undefined && configuration !== undefined)
    throw new Error(`task: ${task} and configuration exclude each other`);
  if (task !== undefined) return { kind: "totalsegmentator", weights: resolveTask(task, v2) };
  if (configuration !== undefined) {
    const members = [];
    for (const name of [configuration].flat()) members.push(await member(chosen(folder, v2, name), v2));
    return { kind: "nnunet-v2", members };
  }
  const [only, ...more] = found;
  if (!only) throw new Error(await nothingIn(folder));
  if (v2.length === found.length) {
    const weights = taskOfFiles(v2);
    if (weights) return { kind: "totalsegmentator", weights };
  }
  if (more.length > 0) throw new Error(severalIn(folder, found));
  return only.kind === "nnunet-v2" ? { kind: "nnunet-v2", members: [await member(only, v2)] } : only;
}

/** All models in a folder and its subfolders. */
export async function findModels(folder: string, depth = maxDepth): Promise<Found[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort(); // ._model.pth of macOS
  if (names.includes("plans.json") && names.includes("dataset.json")) {
    const configuration = basename(folder).split("__")[2] ?? null;
    return [{ kind: "nnunet-v2", folder, dataset: await datasetOf(folder), configuration }];
  }
  if (names.includes("plans.pkl")) return [{ kind: "nnunet-v1", folder }];
  const checkpoints = names.filter((name) => name.endsWith(".pth") && !isNetworkOfFold(folder));
  const found: Found[] = checkpoints.map((name) => ({ kind: "sam", checkpoint: join(folder, name) }));
  if (depth === 0) return found;
  for (const name of names) {
    const path = join(folder, name);
    if ((await stat(path)).isDirectory()) found.push(...(await findModels(path, depth - 1)));
  }
  return found;
}

/** Whether a folder is a fold of nnU-Net. Its .pth files are then no SAM; only its plans are missing. */
function isNetworkOfFold(folder: string): boolean {
  return /^(fold_\w+|all)$/.test(basename(folder));
}

/** The dataset on which a model of nnU-Net v2 was trained, from its folder's name or from its plans. */
async function datasetOf(folder: string): Promise<string | null> {
  const parent = basename(dirname(folder));
  if (/^Dataset\d{3}_/.test(parent)) return parent;
  const plans = await readFile(join(folder, "plans.json"), "utf8");
  return /"dataset_name":\s*"(Dataset\d{3}_[^"]*)"/.exec(plans)?.[1] ?? null;
}

function chosen(folder: string, models: readonly V2Folder[], name: string): V2Folder {
  const [first, second] = models.filter((model) => model.configuration === name);
  if (second) {
    const list = models.filter((model) => model.configuration === name).map((model) => `\n  ${model.folder}`);
    throw new Error(
      `${folder} holds several models of configuration ${name}; leave one there:${list.join("")}`,
    );
  }
  if (first) return first;
  const there = models.map((model) => model.configuration ?? `${model.folder} (its name does not say)`);
  throw new Error(
    `${folder}: there is no configuration ${name}, only ${there.join(", ") || "no nnU-Net v2"}`,
  );
}

/** Adds the first stage of a cascade, which must be a model of the same dataset and, if there are several, trainer. */
async function member(model: V2Folder, models: readonly V2Folder[]): Promise<V2Member> {
  const stages = await readStages(model.folder);
  const stage = model.configuration === null ? null : (stages.get(model.configuration) ?? null);
  if (stage === null) return { ...model, previous: null };
  const candidates = models.filter(
    ({ configuration, dataset }) => configuration === stage && dataset === model.dataset,
  );
  const beside = join(dirname(model.folder), basename(model.folder).replace(/[^_]+(?:_[^_]+)*$/, stage));
  const previous = candidates.find(({ folder }) => folder === beside) ?? candidates[0];
  if (candidates.length > 1 && previous?.folder !== beside) {
    throw new Error(`${model.folder}: several models could be the first stage ${stage} of this cascade`);
  }
  if (!previous) {
    throw new Error(
      `${model.folder} is the second stage of a cascade; its first stage ${stage} is not there`,
    );
  }
  return { ...model, previous };
}

/** The folder of a model, or the file of a SAM. */
export function placeOf(model: Found): string {
  return model.kind === "sam" ? model.checkpoint : model.folder;
}

function severalIn(folder: string, found: readonly Found[]): string {
  const list = found.map((model) => `\n  ${placeOf(model)}`).join("");
  const v2 = found.filter((model) => model.kind === "nnunet-v2");
  const names = v2.map(({ configuration }) => configuration).join(" | ");
  const hint =
    v2.length === found.length && new Set(v2.map(({ dataset }) => dataset)).size === 1
      ? `leave one there, or set configuration: ${names}, or a list of them to average`
      : "leave one there, or set configuration or, for TotalSegmentator, task";
  return `${folder} holds ${found.length} models; ${hint}:${list}`;
}

const LOOKED_FOR = `a folder of nnU-Net v2 or TotalSegmentator has plans.json, dataset.json and fold_0/checkpoint_final.pth,
one of nnU-Net v1 or STU-Net plans.pkl and fold_0/*.model with *.model.pkl; SAM is a single file *.pth`;

async function nothingIn(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const some = names.slice(0, 5).join(", ") + (names.length > 5 ? `, … (${names.length} in all)` : "");
  return `${folder}: no model is recognised: ${LOOKED_FOR}.\nThere is ${some || "nothing"}.`;
}
