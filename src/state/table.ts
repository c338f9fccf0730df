/** Holds the rows of one record type, with the content of each and its place in the state log. */
import { FRAME_HEADER } from "./frames.ts";

interface Row<T> {
  /** Offset of its payload in the state log; undefined if only this reader knows it. */
  readonly place: number | undefined;
  /** Offset of its payload in the loaded log; null if it was recorded since. */
  readonly start: number | null;
  /** Undefined until it is first needed. */
  record: T | undefined;
}

export class Table<T> {
  readonly #rows = new Map<string, Row<T>>();
  readonly #log: Buffer;
  readonly #decode: (log: Buffer, start: number, name: string) => T;

  /** @param log the loaded part of the state log */
  constructor(log: Buffer, decode: (log: Buffer, start: number, name: string) => T) {
    this.#log = log;
    this.#decode = decode;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** A row of the loaded log. */
  load(name: string, place: number, start: number): void {
    this.#rows.set(name, { place, start, record: undefined });
  }

  set(name: string, record: T, place: number | undefined): void {
    this.#rows.set(name, { place, start: null, record });
  }

  get(name: string): T | undefined {
    const row = this.#rows.get(name);
    return row && (row.record ??= this.#read(row, name));
  }

  /** Like `get`, but does not keep the decoded row. Use it for rows that are read once. */
  peek(name: string): T | undefined {
    const row = this.#rows.get(name);
    return row && (row.record ?? this.#read(row, name));
  }

  /** Offset of a row's payload in the state log. */
  place(name: string): number | undefined {
    return this.#rows.get(name)?.place;
  }

  delete(name: string): boolean {
    // Check the size first: every new record calls this for most tables, and most tables are empty.
    return this.#rows.size > 0 && this.#rows.delete(name);
  }

  names(): IterableIterator<string> {
    return this.#rows.keys();
  }

  *places(): Generator<number> {
    for (const { place } of this.#rows.values()) if (place !== undefined) yield place;
  }

  *records(): Generator<T> {
    for (const name of this.#rows.keys()) {
      const record = this.get(name);
      if (record !== undefined) yield record;
    }
  }

  /** The frames of rows that are still as loaded. */
  *frames(): Generator<Buffer> {
    for (const { start } of this.#rows.values()) {
      if (start === null) continue;
      yield this.#log.subarray(
        start - FRAME_HEADER,
        start + this.#log.readUInt32LE(start - FRAME_HEADER + 4),
      );
    }
  }

  #read({ start }: Row<T>, name: string): T | undefined {
    return start === null ? undefined : this.#decode(this.#log, start, name);
  }
}
