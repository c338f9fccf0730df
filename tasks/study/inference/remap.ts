/** Maps the label values of a published model to those of a dataset. */
import { classNames, type LabelSource, type LabelTable, type Organ, remapper } from "../labels/labels.ts";
import type { Model } from "./model.ts";

type Table = LabelTable<Organ | null>;

/**
 * Lookup table: index is the model's label value, content the dataset's. `classes` names the class list that the model
 * predicts; "all" means a model trained on the dataset's own labels, which may have other numbers there. A model that
 * names no labels (nnU-Net v1) must have as many classes as the list; with "all" it must use the dataset's numbers.
 * Throws an Error that names the labels which do not fit.
 */
export function datasetValues(model: Model, table: Table, classes: LabelSource): Uint16Array {
  const known = classes === "all" ? ownValues(table) : listedValues(table, classes);
  const named = Object.entries(model.labels);
  if (named.length > 0) {
    const strangers = named.filter(([name]) => !known.has(plain(name))).map(([name]) => name);
    if (strangers.length > 0) {
      const where = classes === "all" ? "among the labels of the dataset" : `in the class list ${classes}`;
      throw new Error(`${model.name} predicts labels that are not ${where}: ${strangers.join(", ")}`);
    }
    const values = new Uint16Array(1 + Math.max(...named.map(([, value]) => value)));
    for (const [name, value] of named) values[value] = known.get(plain(name))!;
    return values;
  }
  const count = model.kind === "nnunet" && model.output.kind === "labels" ? model.output.count : 0;
  if (classes === "all") return Uint16Array.from({ length: count }, (_, i) => (table.has(i) ? i : 0));
  if (count !== classNames(classes).length) {
    const { length } = classNames(classes);
    throw new Error(`${model.name} predicts ${count} classes, but the class list ${classes} has ${length}`);
  }
  return remapper(table, classes);
}

/** Label values by name: by the dataset's own name and by the study's name of the organ. */
function ownValues(table: Table): Map<string, number> {
  return new Map(
    [...table].flatMap(([value, { name, organ }]) => [
      ...(organ === null ? [] : [[plain(organ), value] as const]),
      [plain(name), value] as const,
    ]),
  );
}

function listedValues(table: Table, classes: Exclude<LabelSource, "all">): Map<string, number> {
  const values = remapper(table, classes);
  return new Map(classNames(classes).map((name, id) => [plain(name), values[id]!]));
}

/** Normal form of a name: "Right kidney" and "kidney_right" become equal. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .sort()
    .join(" ");
}
