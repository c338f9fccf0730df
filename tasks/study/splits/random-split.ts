/** Makes the random split of a dataset that all versions of its labels share. */
import { createRandom, shuffled } from "../random.ts";

/**
 * Sorts the n ids by code unit and shuffles them with the study's generator, seeded with "split SEED". The first
 * round(n · train) are for training, the others for the test; at least one each. Both lists are sorted.
 * @throws RangeError for fewer than two cases
 */
export function randomSplit(
  ids: readonly string[],
  { seed, train }: { readonly seed: number; readonly train: number },
): { readonly train: string[]; readonly test: string[] } {
  if (ids.length < 2) throw new RangeError(`a split needs two cases or more, not ${ids.length}`);
  const order = shuffled([...ids].sort(), createRandom(`split ${seed}`));
  const count = Math.min(ids.length - 1, Math.max(1, Math.round(ids.length * train)));
  return { train: order.slice(0, count).sort(), test: order.slice(count).sort() };
}
