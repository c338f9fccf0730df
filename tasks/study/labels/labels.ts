/**
 * The meaning of label values of datasets and pretrained models, and the translation between them.
 *
 * Three JSON files hold the facts. `organs.json` is the study's organ vocabulary: for each organ it lists the classes
 * of each model family whose union is the organ. `classes.json` has the families' class lists in the order of their
 * ids; id 0 is the background. `datasets.json` has the label tables as the datasets are distributed.
 */
import { z } from "zod";
import { jsonText, readJson } from "../json.ts";
import type { LabelVolume } from "../volume/volume.ts";
import classes from "./classes.json" with { type: "json" };
import datasets from "./datasets.json" with { type: "json" };
import organs from "./organs.json" with { type: "json" };

export type Organ = keyof typeof organs;
export type ClassList = keyof typeof classes;
export type DatasetName = keyof typeof datasets;

/**
 * Label value → the dataset's own name and the organ. In a user's own data a label may be none of the study's organs.
 * Background (0) is not listed.
 */
export type LabelTable<O extends Organ | null = Organ> = ReadonlyMap<
  number,
  { readonly name: string; readonly organ: O }
>;

/**
 * What a generator can predict: a fixed class list, or "all" labels of the dataset it is used on (it was trained on
 * that dataset or is prompted with its labels).
 */
export type LabelSource = ClassList | "all";

export const datasetNames = Object.keys(datasets) as DatasetName[];
export const organNames = Object.keys(organs) as Organ[];

/**
 * The label table of a known dataset (given its name), or of own data (given label value → organ).
 * @throws Error if the dataset or an organ is unknown, or a value is not a whole number from 1 to 65535
 */
export function labelTable(of: string | Readonly<Record<string, string>>): LabelTable {
  return typeof of === "string" ? datasetLabels(of) : ownLabels(of);
}

function datasetLabels(name: string): LabelTable {
  const table = (datasets as Record<string, Record<string, { name: string; organ: string }>>)[name];
  if (table === undefined) {
    throw new Error(`no label table for dataset "${name}"; known: ${datasetNames.join(", ")}`);
  }
  return new Map(
    Object.entries(table).map(([id, { name, organ }]) => [Number(id), { name, organ: organOf(organ) }]),
  );
}

function ownLabels(values: Readonly<Record<string, string>>): LabelTable {
  return new Map(
    Object.entries(values).map(([id, organ]) => {
      const value = Number(id);
      if (!Number.isInteger(value) || value < 1 || value > 65535) {
        throw new Error(`label value "${id}" (${organ}) is not a whole number from 1 to 65535`);
      }
      return [value, { name: organ, organ: organOf(organ) }];
    }),
  );
}

const tableFile = z.record(
  z.string().regex(/^\d+$/),
  z.object({
    name: z.string(),
    organ: z
      .string()
      .nullable()
      .transform((organ) => (organ === null ? null : organOf(organ))),
  }),
);

/** The text of a label table's file, organs/DATASET.json. */
export function labelTableText(table: LabelTable<Organ | null>): string {
  return jsonText(Object.fromEntries(table));
}

/**
 * Reads a label table's file.
 * @throws Error that names the file and says what does not fit
 */
export function readLabelTable(path: string): LabelTable<Organ | null> {
  return new Map(Object.entries(readJson(path, tableFile)).map(([id, label]) => [Number(id), label]));
}

/**
 * The name of nnU-Net's ignore label. Its voxels are unlabelled: they count neither in statistics, nor in the loss, nor
 * in scores.
 */
export const IGNORE = "ignore";

/** The value of the ignore label; null if the table has none. */
export function ignoredValue(table: LabelTable<Organ | null>): number | null {
  return [...table].find(([, { name }]) => name === IGNORE)?.[0] ?? null;
}

/** The dataset's own label name → label value, without the ignore label. */
export function valuesByName(table: LabelTable<Organ | null>): { [name: string]: number } {
  return Object.fromEntries(
    [...table].flatMap(([value, { name }]) => (name === IGNORE ? [] : [[name, value]])),
  );
}

/** The ids in a class list whose union is a label: those of its organ, or the class that has the label's name. */
function idsOf({ name, organ }: { name: string; organ: Organ | null }, list: ClassList): readonly number[] {
  if (organ !== null) return sourceIds(organ, list);
  const id = classNames(list).indexOf(name);
  return id > 0 ? [id] : [];
}

/** Class names in the order of their ids; id 0 is the background. */
export function classNames(list: ClassList): readonly string[] {
  return classes[list];
}

/** The ids in a class list whose union is the organ; none if the family cannot predict it. */
export function sourceIds(organ: Organ, list: ClassList): readonly number[] {
  return organs[organ][list].map((name) => classNames(list).indexOf(name));
}

export interface RemapOptions {
  /** Count TotalSegmentator v2's kidney cysts as kidney, not as background. */
  readonly mergeCysts?: boolean;
}

/**
 * A lookup array from a family's class id to the dataset's label value. Several classes may become one label; a class
 * without a label becomes 0.
 */
export function remapper(
  labels: LabelTable<Organ | null>,
  list: ClassList,
  options: RemapOptions = {},
): Uint16Array {
  const lookup = new Uint16Array(classNames(list).length);
  for (const [value, label] of labels) for (const id of idsOf(label, list)) lookup[id] = value;
  if (options.mergeCysts === true) {
    for (const side of ["left", "right"]) {
      const cyst = classNames(list).indexOf(`kidney_cyst_${side}`);
      if (cyst > 0) lookup[cyst] = lookup[classNames(list).indexOf(`kidney_${side}`)]!;
    }
  }
  return lookup;
}

/** Replaces each voxel's value v by values[v], or by 0 if there is none. The result has 8 bits if all values fit. */
export function relabelled(labels: LabelVolume, values: Uint16Array): LabelVolume {
  const wide = values.some((value) => value > 255);
  const data = wide ? new Uint16Array(labels.data.length) : new Uint8Array(labels.data.length);
  for (let i = 0; i < data.length; i++) data[i] = values[labels.data[i]!] ?? 0;
  return { ...labels, data };
}

/** The label values, ascending, that all of the sources can predict (eq. 3 of the paper). */
export function commonLabels(
  labels: LabelTable<Organ | null>,
  sources: readonly LabelSource[],
): readonly number[] {
  return [...labels]
    .filter(
      ([, label]) =>
        label.name !== IGNORE &&
        sources.every((source) => source === "all" || idsOf(label, source).length > 0),
    )
    .map(([value]) => value)
    .sort((a, b) => a - b);
}

/** Whether the name is an organ of the study's vocabulary. */
export function isOrgan(name: string): name is Organ {
  return Object.hasOwn(organs, name);
}

function organOf(name: string): Organ {
  if (isOrgan(name)) return name;
  throw new Error(`"${name}" is not an organ of the study's vocabulary; known: ${organNames.join(", ")}`);
}
