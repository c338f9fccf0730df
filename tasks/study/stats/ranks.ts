/**
 * Mid-ranks: the rank of each value, from 1; equal values share the mean of their ranks.
 * @returns `ranks` in the order of the values; `ties`, the number of values that share each rank, by ascending rank
 */
export function midRanks(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length);
  const ties: number[] = [];
  for (let first = 0; first < order.length;) {
    let end = first;
    while (end < order.length && values[order[end]!] === values[order[first]!]) end++;
    for (let k = first; k < end; k++) ranks[order[k]!] = (first + end + 1) / 2;
    ties.push(end - first);
    first = end;
  }
  return { ranks, ties };
}
