/**
 * Measures the time limits of tasks. Time in which lq was stopped (Ctrl-Z, a suspended batch job, a closed laptop) does
 * not count: the task was stopped too, or it has ended and lq has not received its exit yet.
 */

/**
 * Milliseconds of one timer. The clock goes on while a process is stopped, and afterwards every timer is due at once.
 */
const SLICE = 1000;

/** Calls `act` when lq has been awake for that many milliseconds. @returns a function that cancels the call */
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
