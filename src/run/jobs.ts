/** The running work of a build, a way to wait for its next change, and the error that ends the build. */
export class Jobs {
  #underWay = 0;
  #wake: () => void = () => undefined;
  #error: Error | undefined;

  /** Whether nothing is under way. */
  get over(): boolean {
    return this.#underWay === 0;
  }

  /** The first error that no task caused. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Resolves at the next change: a job ends, or somebody calls `wake`. */
  news(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  readonly wake = (): void => this.#wake();

  add(work: Promise<void>): void {
    this.#underWay += 1;
    void work
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#underWay -= 1;
        this.#wake();
      });
  }

  /** Does synchronous work. @returns null after an error */
  guard<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  fail(error: unknown): void {
    this.#error ??= error instanceof Error ? error : new Error(String(error));
  }
}
