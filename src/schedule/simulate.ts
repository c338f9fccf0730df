/**
 * Plays a build in no time: the real queue and the real accounts, with durations in place of processes. Shared by
 * `lq plan` and `bench/schedule.ts`.
 */
import type { SlotRequest } from "../model.ts";
import type { Capacity } from "./capacity.ts";
import { Heap } from "./heap.ts";
import { ReadyQueue } from "./queue.ts";
import { remainingPath } from "./remaining-path.ts";
import { Slots, type Grant } from "./slots.ts";

export interface Workload<T> {
  readonly tasks: readonly T[];
  /** What a task waits for, among `tasks`. */
  readonly dependencies: (task: T) => readonly T[];
  readonly seconds: (task: T) => number;
  readonly slots: (task: T) => SlotRequest;
}

export interface Schedule<T> {
  /** Seconds from the first start to the last end. */
  readonly makespan: number;
  /** The longest chain of tasks that wait for each other, and its seconds: no machine is faster. */
  readonly criticalPath: { readonly tasks: readonly T[]; readonly seconds: number };
  /** Seconds that every core, and every device, would work if all worked to the end: no order is faster. */
  readonly evenly: number;
  /** Of all tasks together. */
  readonly coreSeconds: number;
  /** A share counts as the part of the device's memory that it is. */
  readonly deviceSeconds: number;
}

interface Running<T> {
  readonly task: T;
  readonly grant: Grant;
  readonly end: number;
}

/**
 * @param workload an acyclic graph; each of its tasks fits the machine
 * @throws Error when a task does not fit
 */
export function simulate<T>(workload: Workload<T>, capacity: Capacity): Schedule<T> {
  const { tasks, dependencies, seconds, slots } = workload;
  const consumers = new Map<T, T[]>(tasks.map((task) => [task, []]));
  const waiting = new Map<T, number>();
  for (const task of tasks) {
    const needed = dependencies(task);
    waiting.set(task, needed.length);
    for (const each of needed) consumers.get(each)?.push(task);
  }
  const after = (task: T): readonly T[] => consumers.get(task) ?? [];
  const paths = remainingPath(tasks, after, seconds);
  const accounts = new Slots(capacity);
  const queue = new ReadyQueue<T>(accounts);
  const running = new Heap<Running<T>>((a, b) => a.end < b.end);
  const add = (task: T): void => queue.add(task, slots(task), paths.get(task) ?? 0);
  let [now, ended, coreSeconds, deviceSeconds] = [0, 0, 0, 0];

  for (const task of tasks) if (waiting.get(task) === 0) add(task);
  for (;;) {
    for (let next = queue.next(); next !== null; next = queue.next()) {
      const { item, grant } = next;
      running.push({ task: item, grant, end: now + seconds(item) });
      coreSeconds += grant.cpu * seconds(item);
      deviceSeconds += devicesOf(grant) * seconds(item);
    }
    if (running.size === 0) break;
    const { task, grant, end } = running.pop();
    now = end;
    ended += 1;
    accounts.give(grant);
    for (const consumer of after(task)) {
      const left = (waiting.get(consumer) ?? 0) - 1;
      waiting.set(consumer, left);
      if (left === 0) add(consumer);
    }
  }
  if (ended < tasks.length) throw new Error(`${tasks.length - ended} tasks could never start`);
  const perCore = capacity.cpu === 0 ? 0 : coreSeconds / capacity.cpu;
  const perDevice = capacity.devices.length === 0 ? 0 : deviceSeconds / capacity.devices.length;
  const criticalPath = longest(tasks, after, paths);
  return { makespan: now, criticalPath, evenly: Math.max(perCore, perDevice), coreSeconds, deviceSeconds };
}

function devicesOf({ devices }: Grant): number {
  return devices.reduce(
    (sum, { device, memory }) => sum + (memory ?? 1) / (memory === null ? 1 : (device.memory ?? memory)),
    0,
  );
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
