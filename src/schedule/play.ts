/** Simulates a build. It uses the real queue and the real slots, with durations in place of processes. */
import type { SlotRequest } from "../model/model.ts";
import type { Capacity } from "./capacity.ts";
import { Heap } from "./heap.ts";
import { ReadyQueue } from "./queue.ts";
import { Slots, type Grant } from "./slots.ts";

export interface Workload<T> {
  /** If two tasks have the same priority, the first in this list starts first. */
  readonly tasks: readonly T[];
  /** The tasks that a task waits for. Those that are not among `tasks` count as done. */
  readonly dependencies: (task: T) => readonly T[];
  readonly seconds: (task: T) => number;
  readonly slots: (task: T) => SlotRequest;
}

export interface Play<T> {
  /** Seconds from the first start to the last end. */
  readonly makespan: number;
  /**
   * When each task ended: seconds from the first start. Tasks that do not fit, and tasks behind them, are not in it.
   */
  readonly ends: ReadonlyMap<T, number>;
  /** Sum over all tasks. */
  readonly coreSeconds: number;
  /** Sum over all tasks. A task with a part of a device's memory counts with that fraction. */
  readonly deviceSeconds: number;
}

interface Running<T> {
  readonly task: T;
  readonly grant: Grant;
  readonly end: number;
}

/** @param priorities of the ready tasks that fit, the one with the highest number starts first */
export function play<T>(
  workload: Workload<T>,
  capacity: Capacity,
  priorities: ReadonlyMap<T, number>,
): Play<T> {
  const { tasks, dependencies, seconds, slots } = workload;
  const consumers = reversed(tasks, dependencies);
  const waiting = new Map<T, number>();
  for (const task of tasks)
    for (const consumer of consumers(task)) waiting.set(consumer, (waiting.get(consumer) ?? 0) + 1);
  const accounts = new Slots(capacity);
  const queue = new ReadyQueue<T>(accounts);
  const running = new Heap<Running<T>>((a, b) => a.end < b.end);
  const ends = new Map<T, number>();
  const order = new Map(tasks.map((task, i) => [task, i]));
  const add = (task: T): void =>
    queue.add(task, slots(task), priorities.get(task) ?? 0, order.get(task) ?? 0);
  let [now, coreSeconds, deviceSeconds] = [0, 0, 0];

  for (const task of tasks) if (!waiting.has(task)) add(task);
  for (;;) {
    for (let next = queue.next(); next !== null; next = queue.next()) {
      const { item, grant } = next;
      running.push({ task: item, grant, end: now + seconds(item) });
      coreSeconds += grant.cpu * seconds(item);
      deviceSeconds += devicesOf(grant) * seconds(item);
    }
    if (running.size === 0) return { makespan: now, ends, coreSeconds, deviceSeconds };
    const { task, grant, end } = running.pop();
    now = end;
    ends.set(task, end);
    accounts.give(grant);
    for (const consumer of consumers(task)) {
      const left = (waiting.get(consumer) ?? 0) - 1;
      waiting.set(consumer, left);
      if (left === 0) add(consumer);
    }
  }
}

/** Reverses links: gives consumers for dependencies, and dependencies for consumers. Ignores links to other tasks. */
export function reversed<T>(
  tasks: readonly T[],
  links: (task: T) => readonly T[],
): (task: T) => readonly T[] {
  const back = new Map<T, T[]>(tasks.map((task) => [task, []]));
  for (const task of tasks) for (const other of links(task)) back.get(other)?.push(task);
  return (task) => back.get(task) ?? [];
}

function devicesOf({ devices }: Grant): number {
  return devices.reduce(
    (sum, { device, memory }) => sum + (memory ?? 1) / (memory === null ? 1 : (device.memory ?? memory)),
    0,
  );
}
