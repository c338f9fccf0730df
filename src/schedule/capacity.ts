/** Finds the resources of the machine, and the tasks that can never start on it. */
import os from "node:os";
import type { Diagnostic } from "../model/errors.ts";
import type { GpuRequest, Rule, SlotRequest, Task } from "../model/model.ts";
import { discoverDevices, type Device } from "./devices.ts";
import { sizeText } from "../system/sizes.ts";
import { parseSlots } from "./slots-option.ts";

export interface Capacity {
  /** Cores to use. */
  readonly cpu: number;
  /** Cores of the machine. A task gets at most `cpu` of them, whatever it asks for. */
  readonly cores: number;
  /** Main memory, in bytes. */
  readonly memory: number;
  readonly devices: readonly Device[];
  /** Why there are no devices; null if there are some, or if no task wants one. */
  readonly trouble: string | null;
  /** Places by pool; a pool that is not named here has one place. */
  readonly pools: ReadonlyMap<string, number>;
}

export interface CapacityRequest {
  /** `-j`: cores to use instead of those the machine has. */
  readonly jobs?: number | undefined;
  /** `--slots gpu=2,cpu=8,pool=1`: pretend that there is this much. */
  readonly slots?: string | undefined;
  /** Indices or UUIDs of devices that belong together, one list for each group. */
  readonly groups?: readonly (readonly string[])[];
  /** Whether a task wants a device. If none does, lq does not ask the driver. */
  readonly wantsDevices: boolean;
  /** Whether this is for a simulation, so that nothing will run. */
  readonly played?: boolean;
  readonly env: { readonly [name: string]: string | undefined };
}

export async function discoverCapacity(request: CapacityRequest): Promise<Capacity> {
  const pretended = parseSlots(request.slots ?? "");
  const { env, groups = [], wantsDevices, played = false } = request;
  const found = wantsDevices
    ? await discoverDevices({ env, pretended: pretended.gpu, groups, played })
    : { devices: [], trouble: null };
  const cores = pretended.cpu ?? Math.max(os.availableParallelism(), request.jobs ?? 0);
  return {
    cpu: Math.min(request.jobs ?? cores, cores),
    cores,
    memory: pretended.memory ?? machineMemory(),
    ...found,
    pools: pretended.pools,
  };
}

/** Total memory, or the limit of the container. */
function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

export function poolSize(capacity: Capacity, name: string): number {
  return capacity.pools.get(name) ?? 1;
}

/** One problem for each rule whose tasks could never start: what the rule asks for, and what there is. */
export function whatNeverFits(tasks: Iterable<Task>, capacity: Capacity): readonly Diagnostic[] {
  return onePerRule(tasks, ({ id, rule }) => {
    const shortage = shortageOf(rule.slots, capacity);
    if (shortage === null) return null;
    return {
      message: `${id} can never start: ${shortage}`,
      span: rule.span,
      hint: "lower the rule's slots, or pretend with --slots that there is more; -k builds the other tasks",
    };
  });
}

/** One text for each rule that asks for more cores than there are: its tasks start with fewer. */
export function cappedRules(tasks: Iterable<Task>, { cores, cpu }: Capacity): readonly string[] {
  return onePerRule(tasks, ({ rule: { name, slots } }) =>
    slots.cpu > cores
      ? `${name} asks for ${slots.cpu} cores and there ${areOnly(cores)}: its tasks get ${cpu}`
      : null,
  );
}

function areOnly(count: number): string {
  return count === 1 ? "is only 1" : `are only ${count}`;
}

/** The answers for the first task of each rule, without those that are null. */
function onePerRule<T>(tasks: Iterable<Task>, answer: (task: Task) => T | null): readonly T[] {
  const first = new Map<Rule, Task>();
  for (const task of tasks) if (!first.has(task.rule)) first.set(task.rule, task);
  return [...first.values()].flatMap((task) => answer(task) ?? []);
}

/**
 * "it asks for 2 GPUs and there is 1", or null when the request fits an idle machine. More cores than there are count as
 * all of them (`Slots`): a pipeline for a server then runs on a laptop.
 */
export function shortageOf(request: SlotRequest, capacity: Capacity): string | null {
  if (request.memory > capacity.memory) {
    return `it asks for memory ${sizeText(request.memory)} and there is ${sizeText(capacity.memory)}`;
  }
  for (const [pool, places] of request.pools) {
    const size = poolSize(capacity, pool);
    if (places > size)
      return `it asks for ${places} of "${pool}" and there ${size === 1 ? "is" : "are"} ${size}`;
  }
  const { gpu } = request;
  if (gpu === null || gpu.optional) return null;
  const suitable = capacity.devices.filter((device) => suits(device, gpu));
  const together = largestGroup(suitable);
  if (together >= gpu.count) return null;
  const kind = [
    gpu.type === null ? "" : ` of type ${gpu.type}`,
    gpu.memory === null ? "" : ` with ${sizeText(gpu.memory)}`,
  ].join("");
  const asked = `it asks for ${gpu.count} ${gpu.count === 1 ? "GPU" : "GPUs"}${kind}`;
  if (suitable.length >= gpu.count) return `${asked} together and the largest group has ${together}`;
  const why = capacity.trouble === null ? "" : ` (${capacity.trouble})`;
  return `${asked} and there ${suitable.length === 1 ? "is" : "are"} ${suitable.length}${why}`;
}

/** How many of the devices one task can have: the size of the largest group. */
export function largestGroup(devices: readonly Device[]): number {
  const sizes = new Map<string, number>();
  for (const { group } of devices) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return Math.max(0, ...sizes.values());
}

/** Whether an idle device could serve the request. A device with unknown memory serves any request, as a whole. */
export function suits(device: Device, gpu: GpuRequest): boolean {
  if (gpu.type !== null && !words(device.type ?? "").includes(words(gpu.type))) return false;
  return gpu.memory === null || device.memory === null || gpu.memory <= device.memory;
}

/** " nvidia a100 sxm4 40gb ". Compare whole words: an A10 is no A100, and an L4 is no L40S. */
function words(name: string): string {
  return ` ${(name.toLowerCase().match(/[a-z0-9.]+/g) ?? []).join(" ")} `;
}
