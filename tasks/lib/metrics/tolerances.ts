/** The tolerance of Surface Dice: one for all organs, or each organ's. */

export type Tolerance = number | { readonly [organ: string]: number };

/** Throws an Error if the organ has none. */
export function toleranceOf(organ: string, tolerance: Tolerance): number {
  if (typeof tolerance === "number") return tolerance;
  const own = tolerance[organ];
  if (own === undefined) throw new Error(`tolerance: none is given for ${organ}`);
  return own;
}

/** The organs that have none. */
export function missingTolerances(organs: readonly string[], tolerance: Tolerance): readonly string[] {
  return typeof tolerance === "number" ? [] : organs.filter((organ) => !Object.hasOwn(tolerance, organ));
}
