/** Maps each output path that lq has written to the record that holds it. */
import { ancestors } from "../model/paths.ts";
import type { DoneRecord, WrittenEntry, WrittenOutput } from "./records.ts";

export interface Owner {
  /** The task that wrote it. */
  readonly id: string;
  /** The key in the task's record. */
  readonly key: string | null;
  readonly output: WrittenOutput;
}

export class Owners {
  readonly #records = new Map<string, DoneRecord>();

  /** @param records if two records have the same path (after a rule was renamed), the later one wins */
  constructor(records: Iterable<DoneRecord>) {
    for (const record of records) this.add(record);
  }

  /** Takes over the record's paths, unless a later record has them. */
  add(record: DoneRecord): void {
    for (const { path } of record.outputs) {
      const other = this.#records.get(path);
      if (other === undefined || other.finished <= record.finished) this.#records.set(path, record);
    }
  }

  /**
   * A time that is later than every other record with one of these paths, and not earlier than the task's own last
   * record. So the times show which task wrote a path last, even if somebody set the clock back.
   */
  nextTime({ id, outputs }: DoneRecord): number {
    const others = outputs.flatMap(({ path }) => this.#records.get(path) ?? []);
    return Math.max(0, ...others.map((other) => other.finished + (other.id === id ? 0 : 1)));
  }

  remove(path: string, id: string): void {
    if (this.#records.get(path)?.id === id) this.#records.delete(path);
  }

  get(path: string): Owner | undefined {
    const record = this.#records.get(path);
    const output = record?.outputs.find((each) => each.path === path);
    return record === undefined || output === undefined
      ? undefined
      : { id: record.id, key: record.key, output };
  }

  paths(): Iterable<string> {
    return this.#records.keys();
  }

  /** Id of the task that wrote a file, as an output or inside one. */
  writer(path: string): string | undefined {
    const record =
      this.#records.get(path) ??
      this.#records.get([...ancestors(path)].find((dir) => this.#records.has(dir)) ?? "");
    return record?.id;
  }

  /** A file as lq wrote it: an output itself, or a part of a directory output. */
  file(path: string): Omit<WrittenEntry, "name"> | undefined {
    const output = this.get(path)?.output;
    if (output !== undefined) return output.kind === "file" ? output : undefined;
    for (const dir of ancestors(path)) {
      const tree = this.get(dir)?.output;
      if (tree?.kind === "directory") return entriesByName(tree.entries).get(path.slice(dir.length));
    }
    return undefined;
  }
}

const byName = new WeakMap<readonly WrittenEntry[], ReadonlyMap<string, WrittenEntry>>();

function entriesByName(entries: readonly WrittenEntry[]): ReadonlyMap<string, WrittenEntry> {
  let map = byName.get(entries);
  if (map === undefined) byName.set(entries, (map = new Map(entries.map((entry) => [entry.name, entry]))));
  return map;
}
