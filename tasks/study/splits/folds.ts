/** Makes nnU-Net's cross-validation folds: scikit-learn's KFold(count, shuffle=True, random_state=seed). */
import { createMersenneTwister } from "./mersenne-twister.ts";

export interface Fold {
  readonly fold: number;
  readonly train: readonly string[];
  readonly val: readonly string[];
}

export interface Folds<Case> {
  readonly folds: readonly Fold[];
  /** Each case with the fold whose network predicts it: the one that was not trained on it. */
  readonly cases: readonly (Case & { readonly fold: number })[];
}

/**
 * Sorts the n cases by id (by code unit), shuffles their order and cuts it into `count` runs. The first n mod `count`
 * runs are one longer.
 * @throws RangeError for fewer cases than folds, or fewer than two folds
 */
export function kFolds<Case extends { readonly id: string }>(
  cases: readonly Case[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Folds<Case> {
  if (count < 2 || cases.length < count) {
    throw new RangeError(`${cases.length} cases cannot be cut into ${count} folds of one case or more`);
  }
  const byId = new Map(cases.map((entry) => [entry.id, entry]));
  const sorted = [...byId.keys()].sort();
  const order = shuffledOrder(sorted.length, seed);
  const foldOf = new Map<string, number>();
  for (let fold = 0, start = 0; fold < count; fold++) {
    const length = Math.floor(cases.length / count) + (fold < cases.length % count ? 1 : 0);
    for (const index of order.slice(start, start + length)) foldOf.set(sorted[index]!, fold);
    start += length;
  }
  return {
    folds: Array.from({ length: count }, (_, fold) => ({
      fold,
      train: sorted.filter((id) => foldOf.get(id) !== fold),
      val: sorted.filter((id) => foldOf.get(id) === fold),
    })),
    cases: sorted.map((id) => ({ ...byId.get(id)!, fold: foldOf.get(id)! })),
  };
}

/**
 * numpy's RandomState(seed).permutation(n): Fisher-Yates from the end; each draw is masked, and drawn again if too
 * large.
 */
function shuffledOrder(n: number, seed: number): number[] {
  const order = Array.from({ length: n }, (_, index) => index);
  const next = createMersenneTwister(seed);
  for (let i = n - 1; i > 0; i--) {
    const mask = 2 ** (32 - Math.clz32(i)) - 1;
    let j = (next() & mask) >>> 0;
    while (j > i) j = (next() & mask) >>> 0;
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
