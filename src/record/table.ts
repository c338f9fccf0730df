/** Rows of one record type: where each lies in the log that was loaded, or what was recorded since. */
import { FRAME_HEADER } from "./frames.ts";

export class Table<T> {
  readonly #rows = new Map<string, number | T>();
  readonly #log: Buffer;
  readonly #decode: (log: Buffer, start: number) => T;

  constructor(log: Buffer, decode: (log: Buffer, start: number) => T) {
    this.#log = log;
    this.#decode = decode;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** A row of the loaded log, by the offset of its payload; decoded when first asked for. */
  place(name: string, start: number): void {
    this.#rows.set(name, start);
  }

  set(name: string, record: T): void {
    this.#rows.set(name, record);
  }

  get(name: string): T | undefined {
    const row = this.#rows.get(name);
    if (typeof row !== "number") return row;
    const record = this.#decode(this.#log, row);
    this.#rows.set(name, record);
    return record;
  }

  has(name: string): boolean {
    return this.#rows.has(name);
  }

  delete(name: string): boolean {
    // Most tables are asked to delete at every record, and are empty.
    return this.#rows.size > 0 && this.#rows.delete(name);
  }

  names(): IterableIterator<string> {
    return this.#rows.keys();
  }

  /** Where those rows are that have not been asked for since the log was loaded. */
  *places(): Generator<[name: string, start: number]> {
    for (const [name, row] of this.#rows) if (typeof row === "number") yield [name, row];
  }

  *records(): Generator<T> {
    for (const name of this.#rows.keys()) {
      const record = this.get(name);
      if (record !== undefined) yield record;
    }
  }

  /** The frames of rows that are still as loaded. */
  *frames(): Generator<Buffer> {
    for (const row of this.#rows.values()) {
      if (typeof row !== "number") continue;
      yield this.#log.subarray(row - FRAME_HEADER, row + this.#log.readUInt32LE(row - FRAME_HEADER + 4));
    }
  }
}
