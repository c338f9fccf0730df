/** Simulates a build (play.ts) in the order that lq would choose, for `lq plan` and `bench/schedule.ts`. */
import type { Capacity } from "./capacity.ts";
import { play, reversed, type Play, type Workload } from "./play.ts";
import { priorities } from "./priorities.ts";
import { remainingPath } from "./remaining-path.ts";

export interface Schedule<T> extends Omit<Play<T>, "ends"> {
  /** The longest chain of tasks that wait for each other, and its seconds. No machine builds faster. */
  readonly criticalPath: { readonly tasks: readonly T[]; readonly seconds: number };
  /** Seconds if all cores, or all devices, worked equally long without a gap. No order is faster. */
  readonly evenly: number;
}

/**
 * @param workload an acyclic graph; each of its tasks fits the machine
 * @throws Error when a task does not fit
 */
export function simulate<T>(workload: Workload<T>, capacity: Capacity): Schedule<T> {
  const { tasks, dependencies, seconds } = workload;
  const { ends, ...played } = play(workload, capacity, priorities(workload, capacity));
  if (ends.size < tasks.length) throw new Error(`${tasks.length - ends.size} tasks could never start`);
  const perCore = capacity.cpu === 0 ? 0 : played.coreSeconds / capacity.cpu;
  const perDevice = capacity.devices.length === 0 ? 0 : played.deviceSeconds / capacity.devices.length;
  const consumers = reversed(tasks, dependencies);
  const criticalPath = longest(tasks, consumers, remainingPath(tasks, consumers, seconds));
  return { ...played, criticalPath, evenly: Math.max(perCore, perDevice) };
}

function longest<T>(
  tasks: readonly T[],
  after: (task: T) => readonly T[],
  paths: ReadonlyMap<T, number>,
): Schedule<T>["criticalPath"] {
  const path = (task: T): number => paths.get(task) ?? 0;
  const last = (candidates: readonly T[]): T | undefined => {
    const [first] = candidates;
    return first === undefined
      ? first
      : candidates.reduce((best, each) => (path(each) > path(best) ? each : best));
  };
  const chain: T[] = [];
  for (let task = last(tasks); task !== undefined; task = last(after(task))) chain.push(task);
  const [first] = chain;
  return { tasks: chain, seconds: first === undefined ? 0 : path(first) };
}
