/**
 * Stores what lq knows about the project between two builds: the outputs that each task last put in place, with their
 * key; failures; digests of files. It is an append-only log (src/state/frames.ts). It has one writer, the build that
 * holds the lock, and any number of readers. Each reader sees the log as it was when the reader opened it.
 *
 * lq writes each record at once, so a killed build loses none. Digests of files only save time, so lq collects them and
 * writes them with the next record. lq never calls fsync. After a power cut, the checksums show which records did not
 * reach the disk, and lq builds their tasks again.
 */
import path from "node:path";
import type { FileMemo } from "../files/files.ts";
import { sameSignature, type Signature } from "../files/signature.ts";
import { scanFrames } from "./frames.ts";
import { STATE_LOG } from "../model/layout.ts";
import { LogAppender, readFrames, readLog, rewriteLog } from "./log-file.ts";
import { Owners, type Owner } from "./owners.ts";
import {
  decodeDone,
  decodeFailed,
  decodeFile,
  decodeNote,
  encodeDone,
  encodeFailed,
  encodeFile,
  encodeName,
  encodeNote,
  nameAt,
  TYPE,
  type DoneRecord,
  type FailedRecord,
  type FileRecord,
  type NoteRecord,
  type WrittenOutput,
} from "./records.ts";
import { Table } from "./table.ts";

/** lq does not rewrite a log that is smaller. */
const SMALL_LOG = 1 << 20;

export class State implements FileMemo {
  readonly #done: Table<DoneRecord>;
  readonly #failed: Table<FailedRecord>;
  readonly #placing: Table<DoneRecord>;
  readonly #abandoned: Table<DoneRecord>;
  readonly #files: Table<FileRecord>;
  readonly #notes: Table<NoteRecord>;
  readonly #learned: FileRecord[] = [];
  /** Made when first needed. */
  #owners: Owners | undefined;
  /** Undefined for a reader, and after `close`. */
  #appender: LogAppender | undefined;
  /** Bytes of the log that were unreadable when it was opened. */
  readonly damaged: number;

  /** @param places offsets of the frames in the state log, if `log` has only some of them */
  private constructor(log: Buffer, places?: readonly number[]) {
    this.#done = new Table(log, decodeDone);
    this.#failed = new Table(log, decodeFailed);
    this.#placing = new Table(log, decodeDone);
    this.#abandoned = new Table(log, decodeDone);
    this.#files = new Table(log, decodeFile);
    this.#notes = new Table(log, decodeNote);
    let frame = 0;
    this.damaged = scanFrames(log, (start) => this.#replay(log, start, places?.[frame++] ?? start));
  }

  /** @param root absolute path of the project. A writer must hold the project's lock. */
  static open(root: string, { readonly = false }: { readonly readonly?: boolean } = {}): State {
    const file = path.join(root, STATE_LOG);
    const log = readLog(file);
    const state = new State(log);
    if (readonly) return state;
    if (state.damaged > 0 || (log.length > SMALL_LOG && bytesOf(state.#liveFrames()) < log.length / 2)) {
      rewriteLog(file, state.#liveFrames());
      return State.open(root);
    }
    state.#appender = new LogAppender(file);
    return state;
  }

  /**
   * Opens a writer that knows only the records at these places of the log, which `placeOf` and `otherPlaces` returned.
   * Null if the log has other content there.
   */
  static partial(root: string, places: readonly number[]): State | null {
    const file = path.join(root, STATE_LOG);
    const log = readFrames(file, places);
    const state = log === null ? null : new State(log, places);
    if (state === null || state.damaged > 0) return null;
    state.#appender = new LogAppender(file);
    return state;
  }

  /** The place in the log of the record that `last` returns. It is valid until the log is rewritten. */
  placeOf(id: string): number | undefined {
    return this.#done.place(id);
  }

  /** The places of all other valid records, without digests of files. */
  otherPlaces(): readonly number[] {
    return [this.#failed, this.#placing, this.#abandoned, this.#notes].flatMap((table) => [
      ...table.places(),
    ]);
  }

  /** The outputs that a task last put in place. */
  last(id: string): DoneRecord | undefined {
    return this.#done.get(id);
  }

  /** The last attempt of the task, if it failed. */
  lastFailure(id: string): FailedRecord | undefined {
    return this.#failed.get(id);
  }

  /** The outputs that a killed build was about to put in place for a task. They may be there or not. */
  interrupted(id: string): readonly WrittenOutput[] {
    return this.#placing.get(id)?.outputs ?? [];
  }

  /** The last output that lq wrote to a path, and the task that made it. */
  owner(output: string): Owner | undefined {
    return this.#ownerIndex().get(output);
  }

  /** A file as lq wrote it: an output itself, or a part of a directory output. */
  writtenFile(file: string): { readonly digest: string; readonly signature: Signature } | undefined {
    return this.#ownerIndex().file(file);
  }

  /** Id of the task that wrote a file: an output itself, or a part of a directory output. */
  writer(file: string): string | undefined {
    return this.#ownerIndex().writer(file);
  }

  /** Every output path that lq has written and not forgotten. */
  ownedPaths(): Iterable<string> {
    return this.#ownerIndex().paths();
  }

  /** Ids of all tasks with outputs in place. */
  ids(): Iterable<string> {
    return this.#done.names();
  }

  /** All outputs that lq may have in place, even from killed builds and for tasks that no longer make them. */
  *written(): Generator<DoneRecord> {
    yield* this.#placing.records();
    yield* this.#abandoned.records();
    yield* this.#done.records();
  }

  /** Seconds of a task's last run, even if it failed. */
  seconds(id: string): number | undefined {
    return (this.last(id) ?? this.lastFailure(id))?.seconds;
  }

  /** Call this before outputs are put in place, with their signatures in staging. */
  recordPlacing(id: string, outputs: readonly WrittenOutput[]): void {
    const record = { id, key: null, outputs, seconds: 0, finished: 0, log: "" };
    this.#placing.set(id, record, this.#append(encodeDone(TYPE.placing, id, record)));
    this.#owners?.add(record);
  }

  recordDone(done: DoneRecord): void {
    const record = { ...done, finished: Math.max(done.finished, this.#ownerIndex().nextTime(done)) };
    this.#keepAbandoned(record);
    this.#apply(TYPE.done, record.id);
    this.#done.set(record.id, record, this.#append(encodeDone(TYPE.done, record.id, record)));
    this.#owners?.add(record);
  }

  recordFailed(record: FailedRecord): void {
    this.#failed.set(record.id, record, this.#append(encodeFailed(record)));
  }

  /** Call this if the task's outputs are gone, or no longer belong to lq. */
  forget(id: string): void {
    for (const output of this.last(id)?.outputs ?? []) this.#owners?.remove(output.path, id);
    this.#apply(TYPE.forget, id);
    this.#append(encodeName(TYPE.forget, id));
  }

  /** Forgets one output path, in whatever record it is. */
  forgetOutput(output: string): void {
    const owner = this.owner(output);
    if (this.#abandoned.delete(output)) this.#append(encodeName(TYPE.forgetAbandoned, output));
    if (owner === undefined) return;
    this.#owners?.remove(output, owner.id);
    const record = this.last(owner.id);
    if (!record?.outputs.some((each) => each.path === output)) return;
    const kept = record.outputs.filter((each) => each.path !== output);
    if (kept.length === 0) return this.forget(record.id);
    const rest = { ...record, key: null, outputs: kept };
    this.#done.set(record.id, rest, this.#append(encodeDone(TYPE.done, record.id, rest)));
  }

  digestOf(file: string, signature: Signature): string | undefined {
    const known = this.#files.peek(file);
    if (known !== undefined && sameSignature(known.signature, signature)) return known.digest;
    const written = this.writtenFile(file);
    return written !== undefined && sameSignature(written.signature, signature) ? written.digest : undefined;
  }

  rememberFile(file: string, digest: string, signature: Signature): void {
    const record = { path: file, digest, signature };
    const place = this.#appender?.gather(encodeFile(record));
    if (place === undefined) this.#learned.push(record);
    this.#files.set(file, record, place);
  }

  /** Digests of files that only this reader knows. They are not in the log. */
  get learned(): readonly FileRecord[] {
    return this.#learned;
  }

  /** Returns these digests and forgets them. */
  takeLearned(): readonly FileRecord[] {
    return this.#learned.splice(0);
  }

  /** A value that another part of lq stored under a name, as JSON text. */
  note(name: string): string | undefined {
    return this.#notes.get(name)?.json;
  }

  notes(): Iterable<NoteRecord> {
    return this.#notes.records();
  }

  rememberNote(name: string, json: string): void {
    if (this.note(name) === json) return;
    const record = { name, json };
    this.#notes.set(name, record, this.#appender?.gather(encodeNote(record)));
  }

  flush(): void {
    this.#appender?.flush();
  }

  close(): void {
    this.#appender?.close();
    this.#appender = undefined;
  }

  /** @returns the record's place in the log */
  #append(payload: Buffer): number {
    if (this.#appender === undefined) throw new Error("the state is open for reading only");
    const place = this.#appender.gather(payload);
    this.#appender.flush();
    return place;
  }

  #replay(log: Buffer, start: number, place: number): void {
    const type = log.readUInt8(start);
    const name = nameAt(log, start);
    this.#apply(type, name);
    if (type === TYPE.done) this.#done.load(name, place, start);
    else if (type === TYPE.failed) this.#failed.load(name, place, start);
    else if (type === TYPE.placing) this.#placing.load(name, place, start);
    else if (type === TYPE.abandoned) this.#abandoned.load(name, place, start);
    else if (type === TYPE.file) this.#files.load(name, place, start);
    else if (type === TYPE.note) this.#notes.load(name, place, start);
  }

  /** Removes the other records that a new record makes invalid. */
  #apply(type: number, name: string): void {
    if (type === TYPE.forgetAbandoned) this.#abandoned.delete(name);
    if (type === TYPE.forget) this.#done.delete(name);
    if (type === TYPE.forget || type === TYPE.done) {
      this.#failed.delete(name);
      this.#placing.delete(name);
    }
  }

  /** Records outputs that a task wrote before and no longer writes, so that lq still knows that it made them. */
  #keepAbandoned(next: DoneRecord): void {
    const before = this.last(next.id);
    for (const output of before?.outputs ?? []) {
      if (before === undefined || next.outputs.some((each) => each.path === output.path)) continue;
      const abandoned = { ...before, outputs: [output] };
      this.#abandoned.set(
        output.path,
        abandoned,
        this.#append(encodeDone(TYPE.abandoned, output.path, abandoned)),
      );
    }
    for (const output of next.outputs)
      if (this.#abandoned.delete(output.path)) this.#append(encodeName(TYPE.forgetAbandoned, output.path));
  }

  #ownerIndex(): Owners {
    this.#owners ??= new Owners(this.written());
    return this.#owners;
  }

  #liveFrames(): Buffer[] {
    // This order matters: `done` removes earlier records of its task, so it must come first.
    return [this.#done, this.#abandoned, this.#failed, this.#placing, this.#files, this.#notes].flatMap(
      (table) => [...table.frames()],
    );
  }
}

function bytesOf(frames: readonly Buffer[]): number {
  return frames.reduce((sum, { length }) => sum + length, 0);
}
