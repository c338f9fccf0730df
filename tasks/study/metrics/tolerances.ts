/** The tolerance of Surface Dice: one for all organs, or one for each. */

export type Tolerance = number | { readonly [organ: string]: number };

/**
 * The organ's tolerance.
 * @throws Error if it has none
 */
export function toleranceOf(organ: string, tolerance: Tolerance): number {
  if (typeof tolerance === "number") return tolerance;
  const own = tolerance[organ];
  if (own === undefined) throw new Error(`tolerance: ${organ} has none`);
  return own;
}

interface Named {
  readonly tolerance: Tolerance;
  readonly reference_slices?: readonly string[] | undefined;
}

/**
 * Checks the organs that settings name: each scored one needs a tolerance, and each named one must be known.
 * @param scored organs that will be scored
 * @param known organs that the settings may name
 * @returns messages with their path in the settings; none if all is well
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
      ? [{ path: ["tolerance"], message: `there is none for ${without.join(", ")}` }]
      : []),
    ...strange("tolerance", given),
    ...strange("reference_slices", reference_slices),
  ];
}
