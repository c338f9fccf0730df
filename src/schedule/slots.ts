/** The accounts of a build: what is free, who holds which device. */
import type { GpuRequest, SlotRequest } from "../model.ts";
import { poolSize, suits, type Capacity } from "./capacity.ts";
import type { Device } from "./devices.ts";

/** What a started task holds; given back whole. */
export interface Grant {
  readonly request: SlotRequest;
  /** Cores: as many as asked, or all that the build may use. */
  readonly cpu: number;
  readonly devices: readonly { readonly device: Device; readonly memory: number | null }[];
}

interface DeviceAccount {
  readonly device: Device;
  /** Tasks that hold it, whole or in part. */
  holders: number;
  /** Bytes left to share; meaningless when the memory is unknown. */
  free: number;
  /** Held as a whole. */
  whole: boolean;
}

export class Slots {
  readonly capacity: Capacity;
  #cpu: number;
  #memory: number;
  readonly #pools = new Map<string, number>();
  readonly #devices: readonly DeviceAccount[];

  constructor(capacity: Capacity) {
    this.capacity = capacity;
    this.#cpu = capacity.cpu;
    this.#memory = capacity.memory;
    this.#devices = capacity.devices.map((device) => ({
      device,
      holders: 0,
      free: device.memory ?? 0,
      whole: false,
    }));
  }

  /** Takes what is asked, or null when it is not free now. */
  take(request: SlotRequest): Grant | null {
    const cpu = Math.min(request.cpu, this.capacity.cpu);
    if (cpu > this.#cpu || request.memory > this.#memory) return null;
    for (const [pool, places] of request.pools) if (places > this.#freePlaces(pool)) return null;
    const chosen = this.#chooseDevices(request.gpu);
    if (chosen === null) return null;

    this.#cpu -= cpu;
    this.#memory -= request.memory;
    for (const [pool, places] of request.pools) this.#pools.set(pool, this.#freePlaces(pool) - places);
    const share = request.gpu?.memory ?? null;
    const devices = chosen.map((account) => {
      const memory = account.device.memory === null ? null : share;
      account.holders += 1;
      account.whole = memory === null;
      account.free -= memory ?? 0;
      return { device: account.device, memory };
    });
    return { request, cpu, devices };
  }

  give(grant: Grant): void {
    this.#cpu += grant.cpu;
    this.#memory += grant.request.memory;
    for (const [pool, places] of grant.request.pools) this.#pools.set(pool, this.#freePlaces(pool) + places);
    for (const { device, memory } of grant.devices) {
      const account = this.#devices.find((candidate) => candidate.device === device);
      if (account === undefined) throw new Error(`device ${device.id} was never handed out`);
      account.holders -= 1;
      account.whole = false;
      account.free += memory ?? 0;
    }
  }

  #freePlaces(pool: string): number {
    return this.#pools.get(pool) ?? poolSize(this.capacity, pool);
  }

  /** The tightest fit: the least memory that serves, then the order of the machine. Null: wait. */
  #chooseDevices(gpu: GpuRequest | null): readonly DeviceAccount[] | null {
    if (gpu === null) return [];
    const suitable = this.#devices.filter(({ device }) => suits(device, gpu));
    if (suitable.length < gpu.count && gpu.optional) return [];
    const left = (account: DeviceAccount): number =>
      gpu.memory === null ? (account.device.memory ?? 0) : account.free;
    const free = suitable
      .filter((account) => {
        if (account.holders === 0) return true;
        return gpu.memory !== null && !account.whole && account.free >= gpu.memory;
      })
      .sort((a, b) => left(a) - left(b));
    return free.length < gpu.count ? null : free.slice(0, gpu.count);
  }
}
