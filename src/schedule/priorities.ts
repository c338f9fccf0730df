/**
 * Decides which ready task starts first. lq simulates two orders before the build and takes the one that ends sooner:
 *
 * - the longest remaining path first;
 * - the order of a simulation backwards: with all links reversed, the longest path from the start first. A task that
 *   this simulation runs last starts first. So all devices are busy until the end of the build, and uneven rests lie at
 *   its beginning, where short tasks can fill them. A forward simulation leaves long tasks that wait for many short
 *   ones to the end, as a last wave that fills only some devices.
 *
 * The second is one step of forward-backward improvement (K. Y. Li and R. J. Willis, An iterative scheduling
 * technique for resource-constrained project scheduling, EJOR 56, 1992), of which lq keeps only the
 * order and not the times. So however long tasks take, no device waits while a ready task fits it.
 */
import type { Capacity } from "./capacity.ts";
import { play, reversed, type Workload } from "./play.ts";
import { remainingPath } from "./remaining-path.ts";

/** Seconds that tasks must take on average to be worth the simulations, which cost about 0.1 ms for each task. */
const WORTH_PLAYING = 1;

/**
 * @param workload an acyclic graph
 * @returns a number for each task; the highest first
 */
export function priorities<T>(workload: Workload<T>, capacity: Capacity): ReadonlyMap<T, number> {
  const { tasks, seconds } = workload;
  const consumers = reversed(tasks, workload.dependencies);
  const longest = remainingPath(tasks, consumers, seconds);
  const total = tasks.reduce((sum, task) => sum + seconds(task), 0);
  if (total <= WORTH_PLAYING * tasks.length) return longest;
  const backwards = { ...workload, tasks: tasks.toReversed(), dependencies: consumers };
  const { ends } = play(backwards, capacity, remainingPath(tasks, reversed(tasks, consumers), seconds));
  const sooner = play(workload, capacity, ends).makespan < play(workload, capacity, longest).makespan;
  return sooner ? ends : longest;
}
