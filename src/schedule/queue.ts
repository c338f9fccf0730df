/**
 * Holds the ready tasks. The task with the highest priority (priorities.ts) comes first; among equal priorities, the
 * first in the order of the graph. Tasks that ask for the same slots wait in one line, so the cost of a choice depends
 * on the number of different requests and not on the number of tasks.
 *
 * A small request may overtake a large one that does not fit yet, but only a limited number of times. After that, no
 * less urgent task that uses a resource which the large one lacks starts before it. lq does not reserve resources that
 * other builds hold: they may hold them for long.
 */
import type { SlotRequest } from "../model/model.ts";
import type { Grant, Slots } from "./slots.ts";
import { Heap } from "./heap.ts";

/** How many less urgent tasks may start with a resource that a waiting request lacks. */
export const PATIENCE = 16;

interface Line<T> {
  readonly request: SlotRequest;
  readonly heap: Heap<Waiting<T>>;
  overtaken: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly priority: number;
  readonly order: number;
}

export class ReadyQueue<T> {
  readonly #slots: Slots;
  readonly #lines = new Map<string, Line<T>>();
  readonly #keys = new WeakMap<SlotRequest, string>();
  size = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** @param order among tasks of the same priority, the task with the lowest number starts first */
  add(item: T, request: SlotRequest, priority: number, order: number): void {
    const key = this.#key(request);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { request, heap: new Heap(before), overtaken: 0 };
      this.#lines.set(key, line);
    }
    line.heap.push({ item, priority, order });
    this.size += 1;
  }

  /** Takes the slots of the next task that may start; null if none fits now. */
  next(): { readonly item: T; readonly grant: Grant } | null {
    const waiting = [...this.#lines.values()].filter((line) => line.heap.size > 0).sort(byUrgency);
    const reserved = new Set<string>();
    const passed: { readonly line: Line<T>; readonly short: ReadonlySet<string> }[] = [];
    for (const line of waiting) {
      if (usesAny(line.request, reserved)) continue;
      const grant = this.#slots.take(line.request);
      if (grant === null) {
        const short = this.#slots.shortOf(line.request);
        if (line.overtaken >= PATIENCE) for (const resource of short) reserved.add(resource);
        passed.push({ line, short });
        continue;
      }
      for (const { line: overtaken, short } of passed)
        if (usesAny(line.request, short)) overtaken.overtaken += 1;
      line.overtaken = 0;
      this.size -= 1;
      return { item: line.heap.pop().item, grant };
    }
    return null;
  }

  #key(request: SlotRequest): string {
    let key = this.#keys.get(request);
    if (key === undefined) {
      key = JSON.stringify([request.cpu, request.memory, request.gpu, [...request.pools].sort()]);
      this.#keys.set(request, key);
    }
    return key;
  }
}

function usesAny({ cpu, memory, gpu, pools }: SlotRequest, resources: ReadonlySet<string>): boolean {
  if (resources.size === 0) return false;
  if (cpu > 0 && resources.has("cpu")) return true;
  if (memory > 0 && resources.has("memory")) return true;
  if (gpu !== null && resources.has("gpu")) return true;
  return [...pools.keys()].some((pool) => resources.has(`pool ${pool}`));
}

/** Compares the first tasks of two lines. */
function byUrgency<T>(a: Line<T>, b: Line<T>): number {
  return before(a.heap.peek(), b.heap.peek()) ? -1 : 1;
}

function before<T>(a: Waiting<T>, b: Waiting<T>): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.order < b.order;
}
