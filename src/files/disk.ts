/**
 * Asks the disk what the engine needs to decide what to build, and keeps all answers. src/snapshot stores them: while
 * all answers are still true, a build would decide the same.
 *
 * It keeps a file's signature before the file is read, and a folder's before the folder is listed. If the file changes
 * in between, the kept signature is out of date, so the snapshot is not valid.
 */
import { readdirSync, readFileSync, statSync, type Dirent, type Stats } from "node:fs";
import { dirname } from "node:path";
import { Ignore } from "./ignore.ts";
import { isRacy, sameSignature, signatureOf, type Signature } from "./signature.ts";

/** An entry of a folder. */
export interface Entry {
  readonly name: string;
  readonly kind: Kind;
}

type Kind = "file" | "folder" | "link" | "other";

/** A folder as it was listed. */
interface List {
  /** Name and kind of each entry, joined by "/": one string, because a folder may have 100,000 entries. */
  readonly text: string;
  /** When it was listed, in milliseconds since 1970. */
  readonly at: number;
}

export class Disk {
  /** Which files of folders never count. `list` leaves them out. */
  readonly ignore: Pick<Ignore, "covers">;
  /** No question was asked before this time, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #answers = new Map<string, Signature | null>();
  readonly #peekedAnswers = new Map<string, Signature | null>();
  /** The last listing of each folder. */
  readonly #lists = new Map<string, List>();
  /** Folders that lq itself has put in place. */
  readonly #placed = new Set<string>();
  /** Those of `#placed`, and folders in them, that were listed afterwards. */
  readonly #listedSince = new Set<string>();
  /** False when an answer changed between two questions. */
  #unchanged = true;

  constructor(ignore: Pick<Ignore, "covers"> = Ignore.DEFAULT) {
    this.ignore = ignore;
  }

  /** The stats of a path; follows links. Undefined if nothing is there. @throws the system's error otherwise */
  stat(path: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } finally {
      this.#keep(path, stats);
    }
    return stats;
  }

  /** Like `stat`, but also undefined if the system refuses (a folder of the path is a file, no permission). */
  find(path: string): Stats | undefined {
    try {
      return this.stat(path);
    } catch {
      return undefined;
    }
  }

  /** The signature of the file or folder at a path; null if nothing is there. */
  signature(path: string): Signature | null {
    const stats = this.find(path);
    return stats === undefined ? null : signatureOf(stats);
  }

  /** Like `find`, for a caller that needs only the kind (file or folder). */
  peek(path: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } catch {
      // The system refuses: nothing can be there.
    }
    this.#peekedAnswers.set(bare(path), stats === undefined ? null : signatureOf(stats));
    return stats;
  }

  /** Lists a folder, unless it has not changed since its last listing. @throws the system's error */
  list(folder: string): readonly Entry[] {
    const path = bare(folder);
    const at = Date.now();
    const isPlaced = this.#isPlaced(path);
    const before = this.#lists.get(path);
    if (before !== undefined && !isPlaced && this.#isAsListed(path, before)) return entriesIn(before.text);
    const stats = this.stat(folder);
    const entries = readdirSync(folder, { withFileTypes: true })
      .map((entry): Entry => ({ name: entry.name, kind: kindOf(entry) }))
      .filter(({ name, kind }) => !this.ignore.covers(`${path}/`, kind === "folder" ? `${name}/` : name));
    const text = textOf(entries);
    if ((before?.text ?? text) !== text && !isPlaced) this.#unchanged = false;
    else if (stats !== undefined) this.#answers.set(path, signatureOf(stats));
    this.#lists.set(path, { text, at });
    if (isPlaced) this.#listedSince.add(path);
    return entries;
  }

  /**
   * Call this for a folder that lq has just put in place: earlier answers about it no longer count. The caller then
   * lists it, with all folders in it, as it is now.
   */
  placed(folder: string): void {
    this.#placed.add(bare(folder));
    this.#listedSince.delete(bare(folder));
  }

  /** @throws the system's error, or an error if it is not a file: to read a pipe could wait for ever */
  read(file: string): string {
    if (this.stat(file)?.isFile() === false) throw new Error(`${file} is not a file`);
    return readFileSync(file, "utf8");
  }

  /** Each absolute path that was asked about, with its answer. A folder's path has no "/" at its end. */
  answers(): Iterable<readonly [string, Signature | null]> {
    return this.#answers;
  }

  /** Like `answers`, for paths that were asked about only with `peek`. */
  peekedAnswers(): Iterable<readonly [string, Signature | null]> {
    return this.#peekedAnswers;
  }

  /**
   * Whether all answers are still true. It is false if something changed between two questions. It is also false if
   * something changed so shortly before a question that a later change could look the same. It lists folders again if
   * files were put into them.
   */
  stillHolds(): boolean {
    for (const [path, signature] of this.#answers) {
      const list = this.#lists.get(path);
      if (list !== undefined && !this.#isAsListed(path, list)) this.#listAgain(path);
      else if (list === undefined && signature !== null && isRacy(signature, this.since)) return false;
    }
    return this.#unchanged;
  }

  #isAsListed(path: string, { at }: List): boolean {
    const signature = this.#answers.get(path) ?? null;
    return signature !== null && !isRacy(signature, at) && sameSignature(this.signature(path), signature);
  }

  #listAgain(folder: string): void {
    const stats = this.find(folder);
    try {
      if (stats !== undefined && !isRacy(stats, Date.now())) return void this.list(folder);
      // The folder was inside one that lq has replaced.
      if (stats === undefined && this.#isPlaced(folder)) return void this.#answers.delete(folder);
    } catch {
      // It is not a folder any more.
    }
    this.#unchanged = false;
  }

  /** Whether the earlier answer about a folder is about one that lq has replaced. */
  #isPlaced(path: string): boolean {
    if (this.#placed.size === 0 || this.#listedSince.has(path)) return false;
    for (let at = path; ; at = dirname(at)) {
      if (this.#placed.has(at)) return true;
      if (dirname(at) === at) return false;
    }
  }

  #keep(asked: string, stats: Stats | undefined): void {
    const path = bare(asked);
    // A listed folder is compared by its entries, not by its times.
    if (this.#lists.has(path) && (stats?.isDirectory() === true || this.#isPlaced(path))) return;
    const signature = stats === undefined ? null : signatureOf(stats);
    const before = this.#answers.get(path);
    if (before === undefined) this.#answers.set(path, signature);
    else if (!sameSignature(before, signature)) this.#unchanged = false;
  }
}

function bare(path: string): string {
  return path.replace(/(.)\/$/, "$1");
}

/** The kind of an entry, of an `lstat` (which shows links) or of a `stat` (which follows links). */
export function kindOf(found: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink">): Kind {
  if (found.isFile()) return "file";
  return found.isDirectory() ? "folder" : found.isSymbolicLink() ? "link" : "other";
}

function textOf(entries: readonly Entry[]): string {
  return entries.map(({ name, kind }) => `${name}/${kind}`).join("/");
}

function entriesIn(text: string): readonly Entry[] {
  const parts = text === "" ? [] : text.split("/");
  const entries: Entry[] = [];
  for (let i = 0; i < parts.length; i += 2)
    entries.push({ name: parts[i] ?? "", kind: parts[i + 1] as Kind });
  return entries;
}
