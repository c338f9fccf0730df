/** Devices that other people's work keeps busy: those of whose memory more than a limit is in use. */
import { listClaims, nameOfDevice } from "./claims.ts";
import type { Device } from "./devices.ts";
import type { Usage } from "./leases.ts";
import { askDriver, type Answer } from "./nvidia-smi.ts";

/** Milliseconds after which the driver is asked again, while something asks for devices. */
const REFRESH_MS = 15_000;

export class DriverUsage implements Usage {
  readonly #limit: number;
  readonly #ask: () => Promise<Answer>;
  readonly #used = new Map<string, number>();
  readonly #wakes = new Set<() => void>();
  #asked = -Infinity;
  #asking: Promise<void> | null = null;

  /** @param limit bytes in use up to which a device counts as free */
  constructor(limit: number, ask: () => Promise<Answer> = askDriver) {
    this.#limit = limit;
    this.#ask = ask;
  }

  isBusy(device: Device): boolean {
    if (performance.now() - this.#asked > REFRESH_MS) void this.refresh();
    return this.used(device) > this.#limit;
  }

  used({ uuid }: Device): number {
    return this.#used.get(uuid) ?? 0;
  }

  whenChanged(wake: () => void): () => void {
    const timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.#wakes.add(wake);
    return () => {
      clearInterval(timer);
      this.#wakes.delete(wake);
    };
  }

  refresh(): Promise<void> {
    this.#asking ??= this.#refresh().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #refresh(): Promise<void> {
    const { devices } = await this.#ask();
    this.#asked = performance.now();
    // What lq's own tasks use is theirs by lease.
    const leased = new Set(listClaims().flatMap(({ kind, device }) => (kind === "hold" ? [device] : [])));
    for (const { uuid, used } of devices)
      this.#used.set(uuid, leased.has(nameOfDevice(uuid)) ? 0 : (used ?? 0));
    for (const wake of this.#wakes) wake();
  }
}
