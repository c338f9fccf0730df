/**
 * Computes the remaining path of each task: the longest chain of tasks that begins with it, in seconds.
 *
 * @param nodes the nodes of an acyclic graph
 * @param consumers gives the nodes that wait for a node
 * @param seconds gives the expected duration of a node
 * @returns seconds from the start of each node to the end of the last node that waits for it
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
