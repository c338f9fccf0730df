/** Defines the records of the state log, and the layout of each in the payload of its frame. */
import type { Signature } from "../files/signature.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

/** A task whose outputs are in place. */
export interface DoneRecord {
  readonly id: string;
  /** Null: lq removed some of the outputs, so no key is valid for the others. */
  readonly key: string | null;
  readonly outputs: readonly WrittenOutput[];
  readonly seconds: number;
  /** Milliseconds since 1970. */
  readonly finished: number;
  /** Project path of the attempt's log; empty if there is none. */
  readonly log: string;
}

/** An output as lq put it in place. */
export type WrittenOutput =
  | ({ readonly kind: "file"; readonly path: string } & WrittenFile)
  | {
      readonly kind: "directory";
      /** Ends in "/". */
      readonly path: string;
      readonly digest: string;
      /** Sorted by name. */
      readonly entries: readonly WrittenEntry[];
    };

export interface WrittenEntry extends WrittenFile {
  readonly name: string;
}

interface WrittenFile {
  readonly digest: string;
  readonly signature: Signature;
  readonly executable?: true;
}

/** The last attempt of a task, if it failed. */
export interface FailedRecord {
  readonly id: string;
  readonly key: string;
  readonly seconds: number;
  readonly finished: number;
  readonly log: string;
  readonly error: string;
}

export interface FileRecord {
  readonly path: string;
  readonly digest: string;
  readonly signature: Signature;
}

/** A value with a name, as JSON. */
export interface NoteRecord {
  readonly name: string;
  readonly json: string;
}

/**
 * The first byte of a payload. The name of the record follows directly, so loading needs to read nothing else.
 */
export const TYPE = {
  /** Name: task id. Replaces `done`, `failed` and `placing` of the id. */
  done: 1,
  /** Name: task id. */
  failed: 2,
  /** Name: task id. Written before outputs are put in place, so that lq knows outputs that a killed build left. */
  placing: 3,
  /** Name: output path. An output of a task that now writes elsewhere. */
  abandoned: 4,
  /** Name: task id. Ends `done`, `failed` and `placing`. */
  forget: 5,
  /** Name: output path. Ends `abandoned`. */
  forgetAbandoned: 6,
  /** Name: path. A digest that is valid while the file has the same signature. */
  file: 7,
  /** Name: any text. */
  note: 8,
} as const;

export function encodeDone(type: number, name: string, record: DoneRecord): Buffer {
  const to = begin(type, name);
  to.f64(record.seconds);
  to.f64(record.finished);
  to.u8(record.key === null ? 0 : 1);
  if (record.key !== null) to.digest(record.key);
  to.text(record.id);
  to.text(record.log);
  to.u32(record.outputs.length);
  for (const output of record.outputs) encodeOutput(to, output);
  return to.bytes();
}

export function decodeDone(log: Buffer, start: number, name: string): DoneRecord {
  const from = afterName(log, start);
  const seconds = from.f64();
  const finished = from.f64();
  const key = from.u8() === 0 ? null : from.digest();
  const id = from.text();
  const file = from.text();
  const outputs = Array.from({ length: from.u32() }, () => decodeOutput(from));
  // Keep one string where two are equal, to save memory.
  return { id: id === name ? name : id, key, outputs, seconds, finished, log: file };
}

export function encodeFailed(record: FailedRecord): Buffer {
  const to = begin(TYPE.failed, record.id);
  to.f64(record.seconds);
  to.f64(record.finished);
  to.digest(record.key);
  to.text(record.log);
  to.text(record.error);
  return to.bytes();
}

export function decodeFailed(log: Buffer, start: number, id: string): FailedRecord {
  const from = afterName(log, start);
  return {
    id,
    seconds: from.f64(),
    finished: from.f64(),
    key: from.digest(),
    log: from.text(),
    error: from.text(),
  };
}

export function encodeFile(record: FileRecord): Buffer {
  const to = begin(TYPE.file, record.path);
  to.digest(record.digest);
  to.signature(record.signature);
  return to.bytes();
}

export function decodeFile(log: Buffer, start: number, path: string): FileRecord {
  const from = afterName(log, start);
  return { path, digest: from.digest(), signature: from.signature() };
}

export function encodeNote(record: NoteRecord): Buffer {
  const to = begin(TYPE.note, record.name);
  to.text(record.json);
  return to.bytes();
}

export function decodeNote(log: Buffer, start: number, name: string): NoteRecord {
  return { name, json: afterName(log, start).text() };
}

/** A record that has only a type and a name. */
export function encodeName(type: number, name: string): Buffer {
  return begin(type, name).bytes();
}

export function nameAt(log: Buffer, start: number): string {
  const length = log.readUInt32LE(start + 1);
  return log.toString("utf8", start + 5, start + 5 + length);
}

function begin(type: number, name: string): ByteWriter {
  const to = new ByteWriter();
  to.u8(type);
  to.text(name);
  return to;
}

function afterName(log: Buffer, start: number): ByteReader {
  return new ByteReader(log, start + 5 + log.readUInt32LE(start + 1));
}

/** The first byte of an output. Only executable files, and directories with such files, have the flags. */
const OUTPUT = { file: 0, directory: 1, executableFile: 2, directoryWithFlags: 3 } as const;

function encodeOutput(to: ByteWriter, output: WrittenOutput): void {
  const { kind, path, digest } = output;
  if (kind === "file") {
    to.u8(output.executable ? OUTPUT.executableFile : OUTPUT.file);
    to.text(path);
    to.digest(digest);
    return to.signature(output.signature);
  }
  const hasFlags = output.entries.some(({ executable }) => executable);
  to.u8(hasFlags ? OUTPUT.directoryWithFlags : OUTPUT.directory);
  to.text(path);
  to.digest(digest);
  to.u32(output.entries.length);
  for (const entry of output.entries) {
    to.text(entry.name);
    to.digest(entry.digest);
    to.signature(entry.signature);
    if (hasFlags) to.u8(entry.executable ? 1 : 0);
  }
}

function decodeOutput(from: ByteReader): WrittenOutput {
  const type = from.u8();
  const path = from.text();
  const digest = from.digest();
  if (type === OUTPUT.file || type === OUTPUT.executableFile)
    return {
      kind: "file",
      path,
      digest,
      signature: from.signature(),
      ...flag(type === OUTPUT.executableFile),
    };
  const hasFlags = type === OUTPUT.directoryWithFlags;
  const entries = Array.from({ length: from.u32() }, () => ({
    name: from.text(),
    digest: from.digest(),
    signature: from.signature(),
    ...flag(hasFlags && from.u8() === 1),
  }));
  return { kind: "directory", path, digest, entries };
}

function flag(executable: boolean): { readonly executable?: true } {
  return executable ? { executable } : {};
}
