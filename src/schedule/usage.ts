/** Finds devices that other programs use: more of their memory is in use than a limit allows. */
import { listClaims, nameOfDevice } from "./claims.ts";
import type { Device } from "./devices.ts";
import type { Usage } from "./leases.ts";
import { askDriver, type Answer } from "./nvidia-smi.ts";

/** Milliseconds for which lq uses an answer of the driver. */
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

  state(device: Device): "free" | "busy" | "asked" {
    if (performance.now() - this.#asked > REFRESH_MS) {
      void this.refresh();
      return "asked";
    }
    return this.used(device) > this.#limit ? "busy" : "free";
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
    // Do not count the memory of devices that lq builds lease. A lease may begin or end meanwhile, so look twice.
    const before = leasedNow();
    const { devices } = await this.#ask();
    this.#asked = performance.now();
    const leased = new Set([...before, ...leasedNow()]);
    for (const { uuid, used } of devices)
      this.#used.set(uuid, leased.has(nameOfDevice(uuid)) ? 0 : (used ?? 0));
    for (const wake of this.#wakes) wake();
  }
}

/** Names of devices that lq builds hold. */
function leasedNow(): readonly string[] {
  return listClaims().flatMap(({ kind, device }) => (kind === "hold" ? [device] : []));
}
