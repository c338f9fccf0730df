/**
 * Reads single files of code. lq remembers Python's answer about a file together with the file's stat signature, so
 * that unchanged code costs only one `stat`.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import type { Disk } from "../files/disk.ts";
import { isRacy, signatureOf } from "../files/signature.ts";
import { readable } from "../files/file-signature.ts";
import type { NoteMemo } from "../fingerprint/code.ts";
import { UserError } from "../model/errors.ts";
import { isWithin } from "../model/paths.ts";
import { sha256 } from "../system/digest.ts";
import { loadedBy } from "./other-languages.ts";
import type { Description } from "./python-environment.ts";
import { PythonFile, PythonReader, type PythonImport } from "./reader.ts";

export interface CodeFile {
  readonly digest: string;
  readonly imports: readonly PythonImport[];
  /** Other files that it loads, absolute. */
  readonly loads: readonly string[];
  /** Places where it may use code that its text does not show. */
  readonly unknown: readonly Unknown[];
  /** The names that `from … import *` imports from it. */
  readonly all: readonly string[];
}

export interface Unknown {
  /** "it changes sys.path" */
  readonly what: string;
  readonly line: number;
}

const Remembered = z.object({ version: z.literal(1), stamp: z.string(), file: PythonFile });

export class CodeFiles {
  readonly #root: string;
  readonly #memo: NoteMemo;
  readonly #disk: Disk;
  readonly #readers = new Map<string, PythonReader>();

  constructor(root: string, memo: NoteMemo, disk: Disk) {
    this.#root = root;
    this.#memo = memo;
    this.#disk = disk;
  }

  /**
   * @param file absolute path
   * @param name the file's name in messages
   */
  async python(file: string, name: string, { version, executable }: Description): Promise<CodeFile> {
    const since = Date.now();
    const stats = this.#disk.find(file);
    if (stats === undefined) throw new UserError(`${name} was removed while lq read it`);
    const { size, mtimeMs, ctimeMs, ino } = stats;
    const stamp = `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
    const note = `python-file:${version}:${file.startsWith(`${this.#root}/`) ? name : file}`;
    const json = this.#memo.note(note);
    const known = json === undefined ? undefined : Remembered.safeParse(JSON.parse(json)).data;
    if (known?.stamp === stamp) return this.#meant(file, name, known.file);
    const read = await this.#reader(executable).read(file);
    if (!isRacy(signatureOf(stats), since))
      this.#memo.rememberNote(note, JSON.stringify({ version: 1, stamp, file: read }));
    return this.#meant(file, name, read);
  }

  /** Reads a file of a language other than Python. */
  other(file: string, name: string): CodeFile {
    this.#disk.find(file);
    const content = this.#content(file, name);
    const { files, unknown } = loadedBy(file, content.toString("latin1"));
    // A name may be relative to the folder where the command runs, or to the file itself.
    const loads = files.flatMap((each) =>
      [join(this.#root, each), join(dirname(file), each)]
        .filter((path) => isWithin(this.#root, path) && this.#disk.find(path)?.isFile() === true)
        .slice(0, 1),
    );
    return { digest: sha256(content), imports: [], loads, unknown, all: [] };
  }

  /** Ends the processes that read files. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader.close()));
  }

  #meant(file: string, name: string, read: PythonFile): CodeFile {
    if (read.kind === "read") return { ...read, loads: [] };
    if (read.kind === "unreadable") throw new UserError(`${name} cannot be read: ${read.why}`);
    const unknown = [{ what: `Python refuses it (${read.why})`, line: read.line }];
    const digest = sha256(`refused\0${sha256(this.#content(file, name))}`);
    return { digest, imports: [], loads: [], unknown, all: [] };
  }

  #content(file: string, name: string): Buffer {
    try {
      return readFileSync(file);
    } catch (error) {
      throw readable(error, name);
    }
  }

  #reader(executable: string): PythonReader {
    let reader = this.#readers.get(executable);
    if (reader === undefined) this.#readers.set(executable, (reader = new PythonReader(executable)));
    return reader;
  }
}
