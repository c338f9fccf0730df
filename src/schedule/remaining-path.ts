/**
 * How long the longest chain of tasks is that still has to run from each task on: its priority.
 *
 * @param nodes of an acyclic graph.
 * @param consumers of a node: those that wait for it.
 * @param seconds that a node is expected to take.
 * @returns seconds from the start of each node to the end of the last that waits for it.
 */
export function remainingPath<T>(
  nodes: Iterable<T>,
  consumers: (node: T) => Iterable<T>,
  seconds: (node: T) => number,
): ReadonlyMap<T, number> {
  const paths = new Map<T, number>();
  const open = [...nodes];
  for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
    if (paths.has(node)) {
      open.pop();
      continue;
    }
    let after = 0;
    let complete = true;
    for (const consumer of consumers(node)) {
      const path = paths.get(consumer);
      if (path === undefined) {
        open.push(consumer);
        complete = false;
      } else after = Math.max(after, path);
    }
    if (!complete) continue;
    paths.set(node, after + seconds(node));
    open.pop();
  }
  return paths;
}
