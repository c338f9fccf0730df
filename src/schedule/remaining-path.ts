/** How long the longest chain of tasks is that still has to run from each task on: its priority. */

/**
 * @param order indices of the nodes, every node after all those it depends on.
 * @param dependencies of a node: the nodes it waits for.
 * @param seconds a node is expected to take.
 * @returns seconds from the start of each node to the end of the last that waits for it, by node index.
 */
export function remainingPath(
  order: readonly number[],
  dependencies: (node: number) => Iterable<number>,
  seconds: (node: number) => number,
): Float64Array {
  const length = order.reduce((most, node) => Math.max(most, node + 1), 0);
  const after = new Float64Array(length);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as number;
    const path = (after[node] ?? 0) + seconds(node);
    after[node] = path;
    for (const dependency of dependencies(node)) {
      if (path > (after[dependency] ?? 0)) after[dependency] = path;
    }
  }
  return after;
}
