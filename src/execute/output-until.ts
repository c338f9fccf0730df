/** Splits a stream of bytes at a mark. The mark ends the output of one command and may arrive in parts. */

export class OutputUntil {
  readonly #mark: Buffer;
  /** Bytes that may be the beginning of the mark. */
  #held: Buffer = Buffer.alloc(0);
  #print: (chunk: Buffer) => void = () => undefined;
  #resolve: () => void = () => undefined;
  #closed = false;
  /** Resolves when everything before the mark has been printed, or nothing more can come. */
  complete: Promise<void> = Promise.resolve();

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  begin(print: (chunk: Buffer) => void): void {
    this.#print = print;
    if (!this.#closed) this.complete = new Promise((resolve) => (this.#resolve = resolve));
  }

  read(chunk: Buffer): void {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    const at = bytes.indexOf(this.#mark);
    if (at < 0) return this.#pass(bytes, bytes.length - beginningAtEnd(bytes, this.#mark));
    this.#pass(bytes.subarray(0, at), at);
    this.#print = () => undefined; // output that a daemon prints later belongs to no task
    this.#resolve();
    this.#held = Buffer.alloc(0);
  }

  close(): void {
    this.#closed = true;
    this.#pass(this.#held, this.#held.length);
    this.#resolve();
  }

  #pass(bytes: Buffer, length: number): void {
    if (length > 0) this.#print(bytes.subarray(0, length));
    this.#held = bytes.subarray(length);
  }
}

/** How many bytes at the end may be the beginning of the mark. */
function beginningAtEnd(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length--)
    if (bytes.subarray(bytes.length - length).equals(mark.subarray(0, length))) return length;
  return 0;
}
