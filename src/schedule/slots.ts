/** Keeps the accounts of a build's slots: which are free, and how much of each device its tasks hold. */
import type { GpuRequest, SlotRequest } from "../model/model.ts";
import { largestGroup, poolSize, suits, type Capacity } from "./capacity.ts";
import { partOf, type Device } from "./devices.ts";
import type { Lease, Leases, Waiting } from "./leases.ts";
import { sizeText } from "../system/sizes.ts";

/** The slots that a task holds while it runs. It gives all of them back at once. */
export interface Grant {
  readonly request: SlotRequest;
  /** Cores: as many as the task asks for, but at most those that the build may use. */
  readonly cpu: number;
  readonly devices: readonly {
    readonly device: Device;
    /** Bytes; null: the whole device. */
    readonly memory: number | null;
    /** Null if lq shares no devices with other builds. */
    readonly lease: Lease | null;
  }[];
}

/** "cpu 2, memory 4 GiB, gpu 0 and 1, licence 1" */
export function grantText({ cpu, request, devices }: Grant): string {
  const parts = [`cpu ${cpu}`];
  if (request.memory > 0) parts.push(`memory ${sizeText(request.memory)}`);
  if (devices.length > 0) parts.push(`gpu ${devices.map(({ device }) => device.id).join(" and ")}`);
  for (const [pool, places] of request.pools) parts.push(`${pool} ${places}`);
  return parts.join(", ");
}

interface DeviceAccount {
  readonly device: Device;
  /** How many tasks hold it or a part of it. */
  holders: number;
  /** Bytes that are free; without meaning if the memory of the device is unknown. */
  free: number;
  /** Whether one task holds the whole device. */
  whole: boolean;
}

/** Free places by pool; a pool is in it when a place was taken once. */
export interface Pools {
  readonly pools: Map<string, number>;
}

export class Slots {
  readonly capacity: Capacity;
  readonly #leases: Leases | null;
  #cpu: number;
  #memory: number;
  readonly #pools: Map<string, number>;
  readonly #devices: readonly DeviceAccount[];

  /**
   * @param leases the devices that this build leases beside other builds; null: lq shares none with other builds
   * @param pools free places by pool, which several accounts may share
   */
  constructor(capacity: Capacity, leases: Leases | null = null, { pools }: Pools = { pools: new Map() }) {
    this.capacity = capacity;
    this.#pools = pools;
    this.#leases = leases;
    this.#cpu = capacity.cpu;
    this.#memory = capacity.memory;
    this.#devices = capacity.devices.map((device) => ({
      device,
      holders: 0,
      free: device.memory ?? 0,
      whole: false,
    }));
  }

  /** Takes the slots of a request; null if they are not free now. */
  take(request: SlotRequest): Grant | null {
    if (this.shortOf(request).size > 0) return null;
    const devices = this.#takeDevices(request);
    if (devices === null) return null;
    const cpu = this.#coresFor(request);
    this.#cpu -= cpu;
    this.#memory -= request.memory;
    for (const [pool, places] of request.pools) this.#pools.set(pool, this.#freePlaces(pool) - places);
    return { request, cpu, devices };
  }

  give(grant: Grant): void {
    this.#cpu += grant.cpu;
    this.#memory += grant.request.memory;
    for (const [pool, places] of grant.request.pools) this.#pools.set(pool, this.#freePlaces(pool) + places);
    for (const { device, memory, lease } of grant.devices) {
      const account = this.#devices.find((candidate) => candidate.device === device);
      if (account === undefined) throw new Error(`device ${device.id} was never handed out`);
      account.holders -= 1;
      account.whole = false;
      account.free += memory ?? 0;
      if (lease !== null) this.#leases?.release(lease);
    }
  }

  /** The resources that are short for the request because of this build's own tasks. */
  shortOf(request: SlotRequest): ReadonlySet<string> {
    const short = new Set<string>();
    if (this.#coresFor(request) > this.#cpu) short.add("cpu");
    if (request.memory > this.#memory) short.add("memory");
    for (const [pool, places] of request.pools)
      if (places > this.#freePlaces(pool)) short.add(`pool ${pool}`);
    const { gpu } = request;
    if (gpu !== null && this.#needed(gpu) > largestGroup(this.#free(gpu).map(({ device }) => device)))
      short.add("gpu");
    return short;
  }

  /**
   * Call this when nothing more can start now. If other builds keep a task from starting, publishes that this build
   * waits, and calls `wake` when another try may succeed. @returns null when nothing waits for other builds
   */
  rest(wake: () => void): Waiting | null {
    return this.#leases?.rest(wake) ?? null;
  }

  #coresFor(request: SlotRequest): number {
    return Math.min(request.cpu, this.capacity.cpu);
  }

  #freePlaces(pool: string): number {
    return this.#pools.get(pool) ?? poolSize(this.capacity, pool);
  }

  /** How many devices the request gets. It gets none if devices are optional and the machine can never serve it. */
  #needed(gpu: GpuRequest): number {
    return gpu.optional && largestGroup(this.#suitable(gpu).map(({ device }) => device)) < gpu.count
      ? 0
      : gpu.count;
  }

  #suitable(gpu: GpuRequest): readonly DeviceAccount[] {
    return this.#devices.filter(({ device }) => suits(device, gpu));
  }

  /** The devices that would serve the request if only this build's own tasks counted. */
  #free(gpu: GpuRequest): readonly DeviceAccount[] {
    return this.#suitable(gpu).filter((account) => {
      if (account.holders === 0) return true;
      return !gpu.whole && gpu.memory !== null && !account.whole && account.free >= gpu.memory;
    });
  }

  /** Null if other builds hold them. */
  #takeDevices(request: SlotRequest): Grant["devices"] | null {
    const { gpu } = request;
    const count = gpu === null ? 0 : this.#needed(gpu);
    if (gpu === null || count === 0) return [];
    const share = gpu.whole ? null : gpu.memory;
    const free = this.#free(gpu);
    const left = free.filter((account) => this.#leases?.leaves(account.device, share, request) ?? true);
    const chosen = tightest(left, count, gpu);
    const leases =
      chosen &&
      this.#leases?.take(
        chosen.map(({ device }) => device),
        share,
        request,
      );
    if (chosen === null || leases === null) {
      this.#leases?.block(
        request,
        free.map(({ device }) => device),
        share,
      );
      return null;
    }
    return chosen.map((account, i) => {
      const memory = partOf(account.device, share);
      account.holders += 1;
      account.whole = memory === null;
      account.free -= memory ?? 0;
      return { device: account.device, memory, lease: leases?.[i] ?? null };
    });
  }
}

/**
 * Chooses the tightest fit within one group: the devices with the least free memory. Among equals it prefers the group
 * with the fewest free devices, and then the order of the machine. Null: no group has enough devices.
 */
function tightest(
  free: readonly DeviceAccount[],
  count: number,
  gpu: GpuRequest,
): readonly DeviceAccount[] | null {
  const left = ({ device, free }: DeviceAccount): number => (gpu.whole ? (device.memory ?? 0) : free);
  const groups = new Map<string, DeviceAccount[]>();
  for (const account of free) {
    const group = groups.get(account.device.group) ?? [];
    groups.set(account.device.group, group);
    group.push(account);
  }
  const choices = [...groups.values()]
    .filter(({ length }) => length >= count)
    .map((group) => {
      const accounts = group.toSorted((a, b) => left(a) - left(b)).slice(0, count);
      return { accounts, left: accounts.reduce((sum, each) => sum + left(each), 0), size: group.length };
    });
  const [best] = choices.sort((a, b) => a.left - b.left || a.size - b.size);
  return best?.accounts ?? null;
}
