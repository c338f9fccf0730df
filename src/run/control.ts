/** Lets the caller of a build end it early, and keep those running tasks that are still of use. */

export class BuildControl {
  readonly #running = new Map<string, { readonly key: string; readonly controller: AbortController }>();
  readonly #signal: AbortSignal;
  readonly #onStop = new Set<() => void>();
  #stopped = false;

  /** @param signal cancels everything */
  constructor(signal: AbortSignal = new AbortController().signal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#cancelAll);
  }

  readonly #cancelAll = (): void => {
    for (const id of [...this.#running.keys()]) this.cancel(id);
    for (const react of this.#onStop) react();
  };

  /** Call this when the build is over: the signal may live longer than the build. */
  close(): void {
    this.#signal.removeEventListener("abort", this.#cancelAll);
  }

  /** From now on nothing new starts; what runs goes on. */
  stop(): void {
    this.#stopped = true;
    for (const react of this.#onStop) react();
  }

  /** @param react called when the build must end early */
  onStop(react: () => void): void {
    this.#onStop.add(react);
  }

  get stopped(): boolean {
    return this.#stopped || this.#signal.aborted;
  }

  /** Keys of the tasks that run, by id. */
  get running(): ReadonlyMap<string, string> {
    return new Map([...this.#running].map(([id, { key }]) => [id, key]));
  }

  /** Ends a task that runs. */
  cancel(id: string): void {
    this.#running.get(id)?.controller.abort(this.#signal.reason);
  }

  /** The build calls this when a task starts. @returns the signal that cancels the task */
  enter(id: string, key: string): AbortSignal {
    const controller = new AbortController();
    this.#running.set(id, { key, controller });
    return controller.signal;
  }

  leave(id: string): void {
    this.#running.delete(id);
  }
}
