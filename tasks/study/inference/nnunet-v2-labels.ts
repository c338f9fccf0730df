/**
 * The labels of nnU-Net v2's dataset.json.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/utilities/label_handling/label_handling.py.
 */
import type { NetworkModel } from "./model.ts";

/** The value of each label by name; several values for a region. */
type Labels = Readonly<Record<string, number | number[]>>;

/** Regions if a label lists several values. Otherwise one head for each distinct value; "ignore" has no head. */
export function modelOutput(
  labels: Labels,
  regionOrder: readonly number[] | undefined,
  where: string,
): NetworkModel["output"] {
  const named = Object.entries(labels).filter(([name]) => name !== "ignore");
  if (named.some(([, value]) => Array.isArray(value) && value.length > 1)) {
    const regions = regionsOf(labels);
    if (regionOrder?.length !== regions.length) {
      throw new Error(
        `${where}: regions_class_order must hold one value for each of the ${regions.length} regions`,
      );
    }
    return { kind: "regions", values: [...regionOrder] };
  }
  return { kind: "labels", count: new Set(named.flatMap(([, value]) => value)).size };
}

/** All label values but background and "ignore", sorted: nnU-Net's `foreground_labels`. */
export function foreground(labels: Labels): number[] {
  const values = Object.entries(labels).flatMap(([name, value]) => (name === "ignore" ? [] : value));
  return [...new Set(values)].filter((value) => value !== 0).sort((a, b) => a - b);
}

function regionsOf(labels: Labels): [string, number | number[]][] {
  return Object.entries(labels).filter(
    ([name, value]) => name !== "ignore" && [value].flat().some((v) => v !== 0),
  );
}

/** The value of each label name in the predicted label maps. */
export function writtenLabels(labels: Labels, output: NetworkModel["output"]): Record<string, number> {
  return Object.fromEntries(
    regionsOf(labels).map(([name, value], i) => [
      name,
      output.kind === "regions" ? output.values[i]! : [value].flat()[0]!,
    ]),
  );
}
