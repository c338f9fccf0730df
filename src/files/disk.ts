/**
 * What the engine asks the disk in order to find out what is to be done, and what it was told. Whoever keeps all
 * that was told can see later, without asking anything else, that a build would find the same (src/snapshot).
 *
 * A file's own signature is kept before its content is read and a folder's before it is listed: if it changes
 * meanwhile, what is kept is out of date and stands for nothing.
 */
import { readdirSync, readFileSync, statSync, type Dirent, type Stats } from "node:fs";
import { dirname } from "node:path";
import { isRemovedName } from "./network-files.ts";
import { isRacy, sameSignature, signatureOf, type Signature } from "./signature.ts";

/** What stands in a folder under a name. */
export interface Entry {
  readonly name: string;
  readonly kind: Kind;
}

type Kind = "file" | "folder" | "link" | "other";

/** A folder as it was listed. */
interface List {
  /** Name and kind of each entry, "/" between any two: a folder may have 100,000. */
  readonly text: string;
  readonly at: number;
}

export class Disk {
  /** When the first question can have been asked, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #told = new Map<string, Signature | null>();
  readonly #peeked = new Map<string, Signature | null>();
  /** What stood in folders when they were listed last. */
  readonly #lists = new Map<string, List>();
  /** Folders that lq itself has put in place, and those of them, and in them, that were listed since. */
  readonly #placed = new Set<string>();
  readonly #listedSince = new Set<string>();
  #steady = true;

  /** What is at a path or where it links to; undefined for nothing. Throws what the system says otherwise. */
  stat(path: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } finally {
      this.#keep(path, stats);
    }
    return stats;
  }

  /** As `stat`; undefined also where it cannot be asked (a file as a folder, no right). */
  find(path: string): Stats | undefined {
    try {
      return this.stat(path);
    } catch {
      return undefined;
    }
  }

  /** What tells one state of a path from another; null for nothing there. */
  signature(path: string): Signature | null {
    const stats = this.find(path);
    return stats === undefined ? null : signatureOf(stats);
  }

  /** As `find`, for who cares only what kind of thing is there. */
  peek(path: string): Stats | undefined {
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
    } catch {
      // Nothing can be there.
    }
    this.#peeked.set(bare(path), stats === undefined ? null : signatureOf(stats));
    return stats;
  }

  /** Throws as Node does. A folder that is as it was listed before is not listed again. */
  list(folder: string): readonly Entry[] {
    const path = bare(folder);
    const at = Date.now();
    const isPlaced = this.#isPlaced(path);
    const before = this.#lists.get(path);
    if (before !== undefined && !isPlaced && this.#isAsListed(path, before)) return entriesIn(before.text);
    const stats = this.stat(folder);
    const entries = readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !isRemovedName(name))
      .map((entry): Entry => ({ name: entry.name, kind: kindOf(entry) }));
    const text = textOf(entries);
    if ((before?.text ?? text) !== text && !isPlaced) this.#steady = false;
    else if (stats !== undefined) this.#told.set(path, signatureOf(stats));
    this.#lists.set(path, { text, at });
    if (isPlaced) this.#listedSince.add(path);
    return entries;
  }

  /**
   * A folder that lq has just put in place may differ from what was told of it before; whoever puts it there lists it,
   * with all that is in it, as it is now.
   */
  placed(folder: string): void {
    this.#placed.add(bare(folder));
    this.#listedSince.delete(bare(folder));
  }

  /** Throws as Node does, and for what is no file: a pipe would be waited for, maybe without end. */
  read(file: string): string {
    if (this.stat(file)?.isFile() === false) throw new Error(`${file} is not a file`);
    return readFileSync(file, "utf8");
  }

  /** Each absolute path that was asked about, with what stood there; that of a folder without a "/". */
  told(): Iterable<readonly [string, Signature | null]> {
    return this.#told;
  }

  /** The same for what was only peeked at. */
  peeked(): Iterable<readonly [string, Signature | null]> {
    return this.#peeked;
  }

  /**
   * Whether all that was told stands: nothing changed between two questions about it, or so shortly before one
   * that a further change could look the same. Folders in which something was put in place are listed once more.
   */
  stands(): boolean {
    for (const [path, signature] of this.#told) {
      const list = this.#lists.get(path);
      if (list !== undefined && !this.#isAsListed(path, list)) this.#listAgain(path);
      else if (list === undefined && signature !== null && isRacy(signature, this.since)) return false;
    }
    return this.#steady;
  }

  #isAsListed(path: string, { at }: List): boolean {
    const signature = this.#told.get(path) ?? null;
    return signature !== null && !isRacy(signature, at) && sameSignature(this.signature(path), signature);
  }

  #listAgain(folder: string): void {
    const stats = this.find(folder);
    try {
      if (stats !== undefined && !isRacy(stats, Date.now())) return void this.list(folder);
      // One that was in another that lq has replaced.
      if (stats === undefined && this.#isPlaced(folder)) return void this.#told.delete(folder);
    } catch {
      // It is no folder any more.
    }
    this.#steady = false;
  }

  /** Whether what was told of a folder is of one that lq has replaced. */
  #isPlaced(path: string): boolean {
    if (this.#placed.size === 0 || this.#listedSince.has(path)) return false;
    for (let at = path; ; at = dirname(at)) {
      if (this.#placed.has(at)) return true;
      if (dirname(at) === at) return false;
    }
  }

  #keep(asked: string, stats: Stats | undefined): void {
    const path = bare(asked);
    // What is in a folder says whether it is the same, not its times.
    if (this.#lists.has(path) && (stats?.isDirectory() === true || this.#isPlaced(path))) return;
    const signature = stats === undefined ? null : signatureOf(stats);
    const before = this.#told.get(path);
    if (before === undefined) this.#told.set(path, signature);
    else if (!sameSignature(before, signature)) this.#steady = false;
  }
}

function bare(path: string): string {
  return path.replace(/(.)\/$/, "$1");
}

/** Of what is itself there, by `lstat` or a list, or of what is there in the end. */
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
