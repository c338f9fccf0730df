/**
 * Reads the study's result files for the tables and figures: scores of pseudo-labels, evaluations of networks.
 *
 *     scores/DATASET/GENERATOR/CASE.json          { case, predicts: [organ…], organs: {organ: scores} }
 *     evaluations/in-domain/DATASET/VERSION.json  { converged, step, why, cases: [{ case, organs }] }
 *     evaluations/TARGET/DATASET/START.json       the same
 */
import { z } from "zod";
import { readJson } from "../json.ts";

/** Fractions of 1 (dice, surface_dice) and distances (hd95, assd); null where undefined. */
const organScores = z.object({
  dice: z.number().nullable(),
  surface_dice: z.number().nullable(),
  hd95: z.number().nullable(),
  assd: z.number().nullable(),
});

const caseScores = z.object({ case: z.string(), organs: z.record(z.string(), organScores) });
const scoreFile = caseScores.extend({ predicts: z.array(z.string()) });
const evaluationFile = z.object({
  converged: z.boolean(),
  /** The training that did not converge. */
  step: z.enum(["pre-training", "fine-tuning"]).nullable(),
  why: z.string().nullable(),
  cases: z.array(caseScores),
});

export type OrganScores = z.infer<typeof organScores>;
export type CaseScores = z.infer<typeof caseScores>;
export type Evaluation = z.infer<typeof evaluationFile>;

/** A value with the name of its file below the results folder. */
export type FromFile<T> = T & { readonly file: string };

/** All scored cases of one generator on one dataset. */
export interface GeneratorScores {
  /** Organs of the dataset that the generator can predict (𝓛_g of eq. 3). */
  readonly predicts: readonly string[];
  readonly cases: readonly FromFile<CaseScores>[];
}

export interface ResultFile {
  /** Path below the results folder, "btcv/stu-s/0001.json". */
  readonly name: string;
  readonly path: string;
}

/**
 * Scored cases, one for each file.
 * @throws Error that names the file that does not fit
 */
export function readCases(files: readonly ResultFile[]): CaseScores[] {
  return files.map((file) => readJson(file.path, caseScores, file.name));
}

/**
 * scores[dataset][generator], from the files under `scores/`.
 * @throws Error that names the file that does not fit
 */
export function readScores(files: readonly ResultFile[]): Map<string, Map<string, GeneratorScores>> {
  const result = new Map<string, Map<string, { predicts: string[]; cases: FromFile<CaseScores>[] }>>();
  for (const file of files) {
    const [dataset = "", generator = ""] = file.name.split("/");
    const scores = readJson(file.path, scoreFile, file.name);
    const generators = getOrCreate(
      result,
      dataset,
      () => new Map<string, { predicts: string[]; cases: FromFile<CaseScores>[] }>(),
    );
    getOrCreate(generators, generator, () => ({
      predicts: scores.predicts,
      cases: [] as FromFile<CaseScores>[],
    })).cases.push({ ...scores, file: file.name });
  }
  return result;
}

/**
 * evaluations[dataset][version], from the files under `evaluations/…/`.
 * @throws Error that names the file that does not fit
 */
export function readEvaluations(
  files: readonly ResultFile[],
): Map<string, Map<string, FromFile<Evaluation>>> {
  const result = new Map<string, Map<string, FromFile<Evaluation>>>();
  for (const file of files) {
    const [dataset = "", version = ""] = file.name.replace(/\.json$/, "").split("/");
    getOrCreate(result, dataset, () => new Map<string, FromFile<Evaluation>>()).set(version, {
      ...readJson(file.path, evaluationFile, file.name),
      file: file.name,
    });
  }
  return result;
}

/** result[experiment][dataset][version], from all files under `evaluations/`. Throws as readEvaluations. */
export function experimentsOf(
  files: readonly ResultFile[],
): Map<string, Map<string, Map<string, FromFile<Evaluation>>>> {
  const byExperiment = new Map<string, ResultFile[]>();
  for (const { name, path } of files) {
    const end = name.indexOf("/");
    getOrCreate(byExperiment, name.slice(0, end), () => []).push({ name: name.slice(end + 1), path });
  }
  return new Map([...byExperiment].map(([experiment, own]) => [experiment, readEvaluations(own)]));
}

/**
 * One evaluation.
 * @throws Error that names the file if it does not fit
 */
export function readEvaluation(path: string): Evaluation {
  return readJson(path, evaluationFile);
}

/** The organs that all generators can predict (eq. 3), in the order of the first generator's list. */
export function commonOrgans(generators: Iterable<GeneratorScores>): string[] {
  const [first, ...others] = [...generators];
  return (first?.predicts ?? []).filter((organ) => others.every((g) => g.predicts.includes(organ)));
}

/** The keys in the order of `names` (the order of the tables), then the others by name. */
export function inOrder(keys: Iterable<string>, names: { readonly [key: string]: string }): string[] {
  const order = Object.keys(names);
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  return [...new Set(keys)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
