/** Quantile of ascending values, 0 ≤ p ≤ 1, linear between order statistics (numpy's default); NaN of none. */
export function quantile(ascending: ArrayLike<number>, p: number): number {
  const at = p * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] ?? NaN;
  const high = ascending[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - below);
}
