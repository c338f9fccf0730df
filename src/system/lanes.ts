/** Works on many items, several at a time. */

/**
 * Starts the work for each item in order, at most `lanes` at once. After a failure it starts nothing more, waits for
 * the work that is running, and throws the failure.
 */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); failure === undefined && next.done !== true; next = queue.next())
      await work(next.value).catch((error: unknown) => (failure ??= { error }));
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failure !== undefined) throw failure.error;
}
