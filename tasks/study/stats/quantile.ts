/**
 * The quantile p (0 to 1) of ascending values, linear between order statistics (numpy's default); NaN for an empty
 * list.
 */
export function quantile(ascending: ArrayLike<number>, p: number): number {
  const at = p * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] ?? NaN;
  const high = ascending[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - below);
}
