/** Images that occur more than once, within a dataset or across datasets: what is trained on may be tested on. */
import type { Manifest } from "./manifest.ts";

export interface Duplicate {
  /** "dataset/case", sorted; two or more. */
  readonly places: readonly string[];
}

/** `manifests`: dataset name → manifest. In order of the first place. */
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
