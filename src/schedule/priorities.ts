/**
 * Decides which ready task starts first. lq simulates two orders before the build and takes the one that ends sooner:
 *
 * - The forward order: the task with the longest remaining path starts first.
 * - The backward order: lq simulates the build with all links reversed. The task that ends last there starts first.
 *   With this order, all devices are busy until the end of the build. Gaps lie at its beginning, where short tasks fill
 *   them. The forward order may leave long tasks that wait for many short ones to the end, where they use only some of
 *   the devices.
 *
 * The backward order is one step of forward-backward improvement (K. Y. Li and R. J. Willis, An iterative scheduling
 * technique for resource-constrained project scheduling, EJOR 56, 1992). lq keeps only the order and not the times. So
 * no device waits while a ready task fits it, even if tasks take longer or shorter than expected.
 */
import type { Capacity } from "./capacity.ts";
import { play, reversed, type Workload } from "./play.ts";
import { remainingPath } from "./remaining-path.ts";

/** lq simulates only if tasks take more than this many seconds on average. A simulation costs about 0.1 ms a task. */
const WORTH_PLAYING = 1;

/**
 * @param workload an acyclic graph
 * @returns a number for each task; the task with the highest number starts first
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
