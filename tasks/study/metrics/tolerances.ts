/** The tolerance of Surface Dice: one for all organs, or each organ's. */

export type Tolerance = number | { readonly [organ: string]: number };

/** Throws an Error if the organ has none. */
export function toleranceOf(organ: string, tolerance: Tolerance): number {
  if (typeof tolerance === "number") return tolerance;
  const own = tolerance[organ];
  if (own === undefined) throw new Error(`tolerance: none is given for ${organ}`);
  return own;
}

interface Named {
  readonly tolerance: Tolerance;
  readonly reference_slices?: readonly string[] | undefined;
}

/**
 * What is wrong with the organs that settings name, and where: those to be scored that have no tolerance, and those
 * named that are not among the `known`.
 */
export function organIssues(
  { tolerance, reference_slices = [] }: Named,
  scored: readonly string[],
  known: readonly string[],
): { readonly path: readonly string[]; readonly message: string }[] {
  const given = typeof tolerance === "number" ? scored : Object.keys(tolerance);
  const without = scored.filter((name) => !given.includes(name));
  const strange = (path: string, names: readonly string[]) =>
    names
      .filter((name) => !known.includes(name))
      .map((name) => ({ path: [path], message: `no label is called "${name}"` }));
  return [
    ...(without.length > 0
      ? [{ path: ["tolerance"], message: `none is given for ${without.join(", ")}` }]
      : []),
    ...strange("tolerance", given),
    ...strange("reference_slices", reference_slices),
  ];
}
