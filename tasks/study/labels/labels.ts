/**
 * What the label values of datasets and of pretrained models mean, and how one is turned into the other.
 *
 * The facts are data: `organs.json` (the study's organ vocabulary, and for each organ the classes of each model
 * family whose union it is), `classes.json` (the families' class lists in the order of their ids, id 0 being the
 * background) and `datasets.json` (the label tables as the datasets are distributed).
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
 * Label value → the dataset's own name of it and the organ it is, in one's own data maybe none of the study's.
 * Background, 0, is not listed.
 */
export type LabelTable<O extends Organ | null = Organ> = ReadonlyMap<
  number,
  { readonly name: string; readonly organ: O }
>;

/**
 * What a generator can predict: a fixed class list, or "all" labels of whatever dataset it is used on (because it
 * was trained on that dataset, or is prompted with its boxes).
 */
export type LabelSource = ClassList | "all";

export const datasetNames = Object.keys(datasets) as DatasetName[];
export const organNames = Object.keys(organs) as Organ[];

/**
 * The label table of a known dataset, by name, or of one's own data: value → organ of the vocabulary, as written
 * in params. Throws if the dataset or an organ is unknown, or a value is not a label value.
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

/** A label table as a file, organs/DATASET.json. */
export function labelTableText(table: LabelTable<Organ | null>): string {
  return jsonText(Object.fromEntries(table));
}

/** @throws Error that names the file and says what does not fit */
export function readLabelTable(path: string): LabelTable<Organ | null> {
  return new Map(Object.entries(readJson(path, tableFile)).map(([id, label]) => [Number(id), label]));
}

/** Label value by the dataset's own name of it. */
export function valuesByName(table: LabelTable<Organ | null>): { [name: string]: number } {
  return Object.fromEntries([...table].map(([value, { name }]) => [name, value]));
}

/** Class names in the order of their ids, background first. */
export function classNames(list: ClassList): readonly string[] {
  return classes[list];
}

/** The ids in a class list whose union is the organ; empty if the family cannot predict it. */
export function sourceIds(organ: Organ, list: ClassList): readonly number[] {
  return organs[organ][list].map((name) => classNames(list).indexOf(name));
}

/** `mergeCysts`: TotalSegmentator v2 separates kidney cysts; count them as kidney instead of background. */
export interface RemapOptions {
  readonly mergeCysts?: boolean;
}

/**
 * Lookup from a family's class id to the dataset's label value: several classes may merge into one label, and a
 * class without a label becomes 0. Index it with each voxel of an arg-max label map.
 */
export function remapper(
  labels: LabelTable<Organ | null>,
  list: ClassList,
  options: RemapOptions = {},
): Uint16Array {
  const lookup = new Uint16Array(classNames(list).length);
  for (const [value, { organ }] of labels) {
    for (const id of organ === null ? [] : sourceIds(organ, list)) lookup[id] = value;
  }
  if (options.mergeCysts === true) {
    for (const side of ["left", "right"]) {
      const cyst = classNames(list).indexOf(`kidney_cyst_${side}`);
      if (cyst > 0) lookup[cyst] = lookup[classNames(list).indexOf(`kidney_${side}`)]!;
    }
  }
  return lookup;
}

/** Each voxel's value looked up, 0 where there is none; in bytes where all of them fit. */
export function relabelled(labels: LabelVolume, values: Uint16Array): LabelVolume {
  const wide = values.some((value) => value > 255);
  const data = wide ? new Uint16Array(labels.data.length) : new Uint8Array(labels.data.length);
  for (let i = 0; i < data.length; i++) data[i] = values[labels.data[i]!] ?? 0;
  return { ...labels, data };
}

/** The label values, ascending, that every one of the sources can predict (equation 3 of the paper). */
export function commonLabels(
  labels: LabelTable<Organ | null>,
  sources: readonly LabelSource[],
): readonly number[] {
  return [...labels]
    .filter(([, { organ }]) =>
      sources.every((source) => source === "all" || (organ !== null && sourceIds(organ, source).length > 0)),
    )
    .map(([value]) => value)
    .sort((a, b) => a - b);
}

/** Whether the study's vocabulary has the name. */
export function isOrgan(name: string): name is Organ {
  return Object.hasOwn(organs, name);
}

function organOf(name: string): Organ {
  if (isOrgan(name)) return name;
  throw new Error(`"${name}" is not an organ of the study's vocabulary; known: ${organNames.join(", ")}`);
}
