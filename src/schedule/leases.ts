/**
 * Shares the devices of the machine with other lq builds, through claims (`claims.ts`).
 *
 * To take a part of a device, a build first publishes a claim and then looks: if all claims together do not fit the
 * device, it withdraws its own. When two builds try at once, each sees the other, so they never both succeed. Of the
 * builds that wait for a device, the one that has waited longest gets it first. A build keeps a device from one task to
 * the next, but only while no other build waits for it.
 */
import type { SlotRequest } from "../model/model.ts";
import { largestGroup } from "./capacity.ts";
import { claim, listClaims, nameOfDevice, whenGone, type Claim, type OwnClaim } from "./claims.ts";
import { partOf, type Device } from "./devices.ts";
import { isStopped } from "../system/process-stat.ts";
import { waitingFor } from "./waiting-for.ts";

/** A part of a device, held by this build. */
export interface Lease {
  readonly device: Device;
  /** Bytes; null: the whole device. */
  readonly memory: number | null;
  /** The processes that use the device inherit this descriptor. The lease lasts as long as one of them lives. */
  readonly descriptor: number;
  /** Aborts when the build gives the device back. Then a process that waits for later tasks on the device must end. */
  readonly dropped: AbortSignal;
}

/** Says which devices lq must not use because other programs use them. */
export interface Usage {
  /** "asked": the last answer of the driver is too old, and lq is asking again. */
  state(device: Device): "free" | "busy" | "asked";
  /** Bytes in use, by the last answer of the driver. */
  used(device: Device): number;
  /** Calls back when a device may have become free. @returns a function that ends the waiting */
  whenChanged(wake: () => void): () => void;
}

export interface Waiting {
  /** What the build waits for, in words for the user. */
  readonly reasons: readonly string[];
  end(): void;
}

interface Held extends Lease {
  readonly claim: OwnClaim;
  readonly controller: AbortController;
}

interface Blocked {
  readonly devices: readonly Device[];
  readonly by: readonly Claim[];
  /** Other builds were faster on the chosen devices, but there are more devices. */
  readonly left: boolean;
  /** Too many devices are busy with other programs: the request could not be served even without other builds. */
  readonly hopeless: boolean;
}

/** Milliseconds for which lq uses the list of claims before it reads it again: about one round of the queue. */
const FRESH_MS = 20;
/** After two builds tried at once, each waits this many milliseconds, and at random up to twice as long. */
const BACKOFF_MS = 20;

export class Leases {
  readonly #usage: Usage | null;
  readonly #held = new Set<Held>();
  /** The leases that no task uses now. */
  readonly #idle = new Set<Held>();
  readonly #waits = new Map<SlotRequest, { readonly since: number; readonly claims: readonly OwnClaim[] }>();
  /** Requests that other builds kept from their devices, in this round of the queue. */
  readonly #blocked = new Map<SlotRequest, Blocked>();
  #seen: { readonly at: number; readonly claims: readonly Claim[] } | null = null;

  constructor(usage: Usage | null = null) {
    this.#usage = usage;
  }

  /** Whether other builds seem to leave enough of a device for the request. Only `take` knows for sure. */
  leaves(device: Device, share: number | null, request: SlotRequest): boolean {
    return (
      this.#state(device) === "free" &&
      this.#inTheWay(device, request, [{ memory: partOf(device, share) }]).length === 0
    );
  }

  /** Takes a part of each device; null if other builds were faster. */
  take(devices: readonly Device[], share: number | null, request: SlotRequest): readonly Lease[] | null {
    const leases = devices.map((device) => {
      const memory = partOf(device, share);
      return this.#reuse(device, memory) ?? this.#hold(device, memory);
    });
    this.#seen = null;
    if (devices.every((device) => this.#inTheWay(device, request, []).length === 0)) {
      this.#endWait(request);
      return leases;
    }
    leases.forEach((lease) => this.#drop(lease));
    return null;
  }

  /** Call this when the task that held the lease has ended. */
  release(lease: Lease): void {
    for (const held of this.#held) if (held === lease) this.#idle.add(held);
  }

  /** Call this when a request got nothing because of other builds. @param devices those that would serve it */
  block(request: SlotRequest, devices: readonly Device[], share: number | null): void {
    const count = request.gpu?.count ?? 0;
    const enough = (those: readonly Device[]): boolean => largestGroup(those) >= count;
    this.#blocked.set(request, {
      devices,
      by: devices.flatMap((device) => this.#inTheWay(device, request, [{ memory: partOf(device, share) }])),
      left: enough(devices.filter((device) => this.leaves(device, share, request))),
      hopeless: !enough(devices.filter((device) => this.#state(device) !== "busy")),
    });
  }

  /**
   * Call this when the queue has started all that it can. It gives back the leases that no task uses. If a request was
   * blocked, it publishes that this build waits, and calls `wake` when another build gives a device back.
   *
   * @returns null if no request waits for other builds
   */
  rest(wake: () => void): Waiting | null {
    for (const lease of this.#idle) this.#drop(lease);
    for (const request of this.#waits.keys()) if (!this.#blocked.has(request)) this.#endWait(request);
    if (this.#blocked.size === 0) return null;
    // A request that waits for other programs must not keep devices from other builds.
    for (const [request, { devices, hopeless }] of this.#blocked)
      if (hopeless) this.#endWait(request);
      else this.#beginWait(request, devices);
    const blocked = [...this.#blocked.values()];
    this.#blocked.clear();

    const others = new Map(blocked.flatMap(({ by }) => by.map((each) => [each.name, each])));
    const devices = [...new Set(blocked.flatMap((each) => each.devices))];
    const busy = devices.filter((device) => this.#state(device) === "busy");
    let timer: NodeJS.Timeout | undefined;
    const wakeLater = (): void => {
      timer ??= setTimeout(wake, BACKOFF_MS * (1 + Math.random()));
    };
    const ends = [
      whenGone(others.values(), (seen) => (seen ? wake() : wakeLater())),
      this.#usage?.whenChanged(wake),
    ];
    if (blocked.some(({ left }) => left)) wakeLater();
    return {
      reasons: waitingFor(devices, [...others.values()], busy, (device) => this.#usage?.used(device) ?? 0),
      end() {
        clearTimeout(timer);
        for (const end of ends) end?.();
      },
    };
  }

  /** Gives everything back. */
  close(): void {
    for (const request of this.#waits.keys()) this.#endWait(request);
    for (const lease of this.#held) this.#drop(lease);
  }

  /**
   * Claims of other builds that stop the request: they leave too little of the device for what this build holds and
   * adds, or they have waited longer.
   */
  #inTheWay(device: Device, request: SlotRequest, added: readonly Part[]): readonly Claim[] {
    const name = nameOfDevice(device.uuid);
    const claims = this.#others().filter((each) => each.device === name);
    const since = this.#waits.get(request)?.since ?? Infinity;
    // A suspended build keeps its place in the line, but others may go before it.
    const first = claims.filter((each) => each.kind === "wait" && each.since < since && !isStopped(each.pid));
    const holds = claims.filter((each) => each.kind === "hold");
    const own = [...this.#held].filter((held) => held.device === device && !this.#idle.has(held));
    return fits(device, [...holds, ...own, ...added]) ? first : [...holds, ...first];
  }

  /** Ignores the usage of devices that this build itself leases. */
  #state(device: Device): ReturnType<Usage["state"]> {
    const isHeld = [...this.#held].some((held) => held.device === device);
    return isHeld ? "free" : (this.#usage?.state(device) ?? "free");
  }

  #others(): readonly Claim[] {
    if (this.#seen === null || performance.now() - this.#seen.at > FRESH_MS) {
      const waits = [...this.#waits.values()].flatMap(({ claims }) => claims);
      const own = new Set([...waits, ...[...this.#held].map((held) => held.claim)].map(({ name }) => name));
      const claims = listClaims().filter(({ name }) => !own.has(name));
      this.#seen = { at: performance.now(), claims };
    }
    return this.#seen.claims;
  }

  #reuse(device: Device, memory: number | null): Held | undefined {
    const found = [...this.#idle].find((held) => held.device === device && held.memory === memory);
    if (found !== undefined) this.#idle.delete(found);
    return found;
  }

  #hold(device: Device, memory: number | null): Held {
    // End the processes that this build keeps for another part of the device: they use its memory.
    for (const held of this.#idle) if (held.device === device) this.#drop(held);
    const own = claim({ device: device.uuid, kind: "hold", memory });
    const controller = new AbortController();
    const { descriptor } = own;
    const held = { device, memory, descriptor, dropped: controller.signal, claim: own, controller };
    this.#held.add(held);
    return held;
  }

  #drop(lease: Held): void {
    this.#held.delete(lease);
    this.#idle.delete(lease);
    lease.claim.withdraw();
    lease.controller.abort();
    this.#seen = null;
  }

  #beginWait(request: SlotRequest, devices: readonly Device[]): void {
    if (this.#waits.has(request)) return;
    // Use the monotonic clock: all processes of the machine share it, and nobody can set it.
    const since = Math.floor(Number(process.hrtime.bigint()) / 1e6);
    const claims = devices.map(({ uuid }) => claim({ device: uuid, kind: "wait", since }));
    this.#waits.set(request, { since, claims });
    this.#seen = null;
  }

  #endWait(request: SlotRequest): void {
    for (const each of this.#waits.get(request)?.claims ?? []) each.withdraw();
    this.#waits.delete(request);
    this.#seen = null;
  }
}

interface Part {
  readonly memory: number | null;
}

/** One part always fits, because lq gives no task more than its device has. */
function fits(device: Device, parts: readonly Part[]): boolean {
  if (parts.length <= 1) return true;
  return parts.reduce((sum, { memory }) => sum + (memory ?? Infinity), 0) <= (device.memory ?? 0);
}
