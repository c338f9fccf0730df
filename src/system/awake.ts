/**
 * Limits on the time of tasks. What lq slept through (Ctrl-Z, a suspended batch job, a closed laptop) does not
 * count: the task slept as well, or it has ended and lq has yet to hear of it.
 */

/** Milliseconds. The clock goes on while a process is stopped, and then all timers are due at once. */
const SLICE = 1000;

/** Acts when lq has been awake for so many milliseconds, any number of them. @returns what calls it off */
export function afterAwake(milliseconds: number, act: () => void): () => void {
  let left = milliseconds;
  let timer: NodeJS.Timeout;
  const next = (): void => {
    const asked = Math.min(left, SLICE);
    const since = performance.now();
    timer = setTimeout(() => {
      const passed = performance.now() - since;
      if (passed < asked + SLICE) left -= passed;
      if (left > 0) next();
      else act();
    }, asked);
  };
  next();
  return () => clearTimeout(timer);
}
