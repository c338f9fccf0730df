/** A sleep that can be ended early. */
export class Alarm {
  #wake: () => void = () => undefined;
  #rung = false;

  /** Ends the sleep, or the next one if nobody sleeps. */
  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** @param milliseconds infinite: until it rings */
  async wait(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.#rung)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (milliseconds < Infinity) timer = setTimeout(resolve, milliseconds);
      });
    clearTimeout(timer);
    this.#rung = false;
    this.#wake = () => undefined;
  }
}
