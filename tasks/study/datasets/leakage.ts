/** Finds images that occur more than once, within or across datasets: a network may be tested on its training data. */
import type { Manifest } from "./manifest.ts";

export interface Duplicate {
  /** Two or more "dataset/case", sorted. */
  readonly places: readonly string[];
}

/**
 * Groups of cases with the same image, sorted by their first place.
 * @param manifests dataset name → manifest
 */
export function duplicates(manifests: Readonly<Record<string, Pick<Manifest, "contents">>>): Duplicate[] {
  const places = new Map<string, string[]>();
  for (const [dataset, { contents }] of Object.entries(manifests)) {
    for (const [id, content] of Object.entries(contents)) {
      const known = places.get(content);
      if (known === undefined) places.set(content, [`${dataset}/${id}`]);
      else known.push(`${dataset}/${id}`);
    }
  }
  return [...places.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({ places: same.sort() }))
    .sort((a, b) => (a.places[0]! < b.places[0]! ? -1 : 1));
}
