/**
 * Which of the ready tasks goes first. Two orders are played before the build, and the one that ends sooner is taken:
 *
 * - the longest remaining path first;
 * - the order of a play backwards: all links turned round, longest path from the start first. What such a play does
 *   last goes first. Played backwards a build starts, so to say, with every device busy until its very end, and what
 *   does not divide evenly is left over at the beginning, where short tasks can fill it; played forwards, long
 *   tasks that wait for many short ones are left over at the end, as a last wave that fills some devices only.
 *
 * The second is one step of forward-backward improvement (K. Y. Li and R. J. Willis, An iterative scheduling
 * technique for resource-constrained project scheduling, EJOR 56, 1992), of which the order alone is kept, not the
 * times: whatever tasks take in the end, no device waits while something ready fits it.
 */
import type { Capacity } from "./capacity.ts";
import { play, reversed, type Workload } from "./play.ts";
import { remainingPath } from "./remaining-path.ts";

/** Seconds that tasks must take on average to be worth the plays, which cost some 0.1 ms a task. */
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
