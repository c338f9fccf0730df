/**
 * Stores objects (blobs by digest) and actions (successful runs by key). It removes a damaged object or action, which
 * then counts as absent.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../system/digest.ts";
import { hashFile } from "../files/read-file.ts";
import { inLanes } from "../system/lanes.ts";
import type { LinkKind } from "../model/model.ts";
import { isGone, ifThere, symlink } from "../files/network-files.ts";
import { decodeAction, encodeAction, type Action, type StoredRun } from "./action.ts";
import { ACCEPTED, ACTIONS, OBJECTS } from "../model/layout.ts";
import { Linker } from "./links.ts";
import { StoredFiles } from "./stored-files.ts";

/** Milliseconds. A collection keeps everything that is younger while a build may run (src/store/collect.ts). */
const SURELY_YOUNG = 1_800_000;
/** Permissions of a file that all may read. */
const OPEN = 0o644;

/** Up to this size, a file to copy is read once for both check and copy. */
const SMALL = 1 << 20;

/** How many files of a directory to restore at the same time. */
const LANES = 8;

export interface StoreOptions {
  /** Kinds of links for restored contents; lq tries them in this order, and copies if none works. */
  readonly links?: readonly LinkKind[];
  /** The project whose accepted actions count. Each project that shares the store has its own name. */
  readonly project?: string;
  /** Gets a sentence about each damaged file. */
  readonly notice?: (text: string) => void;
  /** Leave damaged files where they are, for a reader that must change nothing. */
  readonly keepsDamaged?: boolean;
}

export class Store {
  readonly #folder: string;
  /** Absolute path. */
  readonly #accepted: string;
  /** Whether the project has accepted anything; undefined: not known yet. */
  #hasAccepted: boolean | undefined;
  readonly #files: StoredFiles;
  readonly #linker: Linker;
  /** Whether an output shares its file with the cache. */
  readonly #sharing: boolean;
  /** Whether the umask lets everybody read new files. */
  #isOpen: boolean | undefined;

  /** @param folder absolute path */
  constructor(
    folder: string,
    { links = [], project = "own", notice = () => undefined, keepsDamaged = false }: StoreOptions = {},
  ) {
    this.#folder = folder;
    this.#accepted = join(folder, ACCEPTED, project);
    this.#files = new StoredFiles(folder, notice, keepsDamaged);
    this.#linker = new Linker(links);
    this.#sharing = links.some((kind) => kind === "hardlink" || kind === "symlink");
  }

  /**
   * Stores a file's content, unless the store has it already. Afterwards the file may share its content with the cache.
   * @param content the content of a small file, if the caller has it
   */
  async putFile(file: string, digest: string, executable: boolean, content?: Buffer): Promise<void> {
    const object = this.fileOf(digest);
    const size = content?.length ?? statSync(file).size;
    const there = this.#files.find(object);
    if (there?.size === size) {
      // An action will need it from now on. A collection that chose it as old and unused must notice that.
      if (there.mtimeMs < Date.now() - SURELY_YOUNG) this.#files.touch(object);
      if (!this.#sharing) return;
      // The same content is there already: remove the new file after a check that the present one is whole.
      if ((await hashIfThere(object)) === digest) {
        await this.#linker.give(object, file, { size, executable, mode: there.mode });
        return;
      }
      this.#discardObject(digest);
    }
    let kind: LinkKind | undefined;
    await this.#files.write(object, async (temporary) => {
      if (content !== undefined && !this.#sharing) {
        writeFileSync(temporary, content);
        chmodSync(temporary, executable ? 0o555 : 0o444);
      } else kind = await this.#linker.take(file, temporary, { size, executable });
    });
    if (kind === "symlink") symlink(object, file);
  }

  /** Call this when all objects of the action are stored. A real run removes an accepted action of its key. */
  async putAction(action: Action): Promise<void> {
    await this.#writeAction(this.#actionPath(action), encodeAction(action));
    if (action.accepted !== undefined) this.#hasAccepted = true;
    else if (this.#acceptsAny) rmSync(this.#acceptedPath(action.key), { force: true });
  }

  /** The action of a key; undefined if there is no undamaged one. An accepted action comes first. */
  action(key: string): Action | undefined {
    const accepted = this.#acceptsAny ? this.#readAction(this.#acceptedPath(key), key) : undefined;
    return accepted ?? this.#readAction(this.#actionPath({ key }), key);
  }

  /** The JSON of the real run of a key, as `putAction` wrote it; undefined if there is none that is whole. */
  actionText(key: string): string | undefined {
    const file = this.#actionPath({ key });
    return this.#readAction(file, key) && (ifThere(() => readFileSync(file, "utf8")) ?? undefined);
  }

  /**
   * Stores the JSON of an action that was checked. Call this when all its objects are stored.
   * @param text as `actionText` gives it in another store
   */
  putActionText(key: string, text: string): Promise<void> {
    return this.#writeAction(this.#actionPath({ key }), text);
  }

  #readAction(file: string, key: string): Action | undefined {
    // Check first, because an exception costs more than a `stat`.
    const text = this.#files.find(file) === undefined ? null : ifThere(() => readFileSync(file, "utf8"));
    if (text === null) return undefined;
    const action = decodeAction(text, key);
    if (action !== null) return action;
    this.#files.discard(file, `the cached action ${key.slice(0, 12)} is damaged`);
    return undefined;
  }

  /** The run of a key, if its action and all its objects are there. It does not check their content. */
  run(key: string): StoredRun | undefined {
    const action = this.action(key);
    if (action === undefined || !this.isComplete(action)) return undefined;
    const { outputs, seconds, finished, accepted } = action;
    return { key, outputs, seconds, finished, ...(accepted && { accepted }) };
  }

  /** Whether all its objects are there. */
  isComplete(run: StoredRun): boolean {
    const digests = run.outputs.flatMap((output) =>
      output.kind === "file" ? [output.digest] : output.entries.map((entry) => entry.digest),
    );
    return digests.every((digest) => this.#files.find(this.fileOf(digest)) !== undefined);
  }

  /**
   * Restores a run's outputs from the store.
   * @param destinations absolute paths in a staging folder, one for each output; null for one that is not needed
   * @returns false if its action or an object is missing or damaged; then the run counts as absent
   */
  async restore(run: StoredRun, destinations: readonly (string | null)[]): Promise<boolean> {
    if (!this.isComplete(run) || !(await this.#use(run))) return false;
    for (const [i, output] of run.outputs.entries()) {
      const destination = destinations[i] ?? null;
      if (destination === null) continue;
      if (output.kind === "directory") mkdirSync(destination, { recursive: true });
      const parts = output.kind === "file" ? [{ ...output, name: "" }] : output.entries;
      let whole = true;
      await inLanes(parts, LANES, async ({ name, digest, executable }) => {
        if (!(await this.#bringOut(digest, executable, join(destination, name)))) whole = false;
      });
      if (!whole) return false;
    }
    return true;
  }

  /** Keeps an action, and what it needs, as long as if it had been used now. */
  touchAction(key: string): void {
    this.#files.touch(this.#actionPath({ key }));
    if (this.#acceptsAny) this.#files.touch(this.#acceptedPath(key));
  }

  /** Whether an object is there, by its presence alone. */
  has(digest: string): boolean {
    return this.#files.find(this.fileOf(digest)) !== undefined;
  }

  /** The absolute path of an object, whether it is there or not. */
  fileOf(digest: string): string {
    return `${this.#folder}/${OBJECTS}/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  /**
   * Stores an object that comes from elsewhere.
   * @param fill writes it to a path, and throws if its content does not have the digest
   */
  putObject(
    digest: string,
    executable: boolean,
    fill: (path: string) => Promise<void> | void,
  ): Promise<void> {
    return this.#files.write(this.fileOf(digest), async (temporary) => {
      await fill(temporary);
      chmodSync(temporary, executable ? 0o555 : 0o444);
    });
  }

  /** Bytes of an object; 0 if there is none. */
  sizeOf(digest: string): number {
    return this.#files.find(this.fileOf(digest))?.size ?? 0;
  }

  /** Content of an object; null if it is missing or damaged. */
  read(digest: string): Buffer | null {
    const file = this.fileOf(digest);
    const content = this.#files.find(file) === undefined ? null : ifThere(() => readFileSync(file));
    if (content === null || sha256(content) === digest) return content;
    this.#discardObject(digest);
    return null;
  }

  async #bringOut(digest: string, executable: boolean, destination: string): Promise<boolean> {
    const object = this.fileOf(digest);
    const stats = this.#files.find(object);
    if (stats === undefined) return false;
    const { size, mode } = stats;
    mkdirSync(dirname(destination), { recursive: true });
    if (size <= SMALL && !this.#sharing) {
      const content = ifThere(() => readFileSync(object));
      if (content === null) return false;
      if (sha256(content) !== digest) return this.#discardObject(digest);
      writeFileSync(destination, content, { mode: executable ? 0o755 : 0o644 });
      return true;
    }
    try {
      await this.#linker.give(object, destination, { size, executable, mode });
    } catch (error) {
      if (isGone(error) && this.#files.find(object) === undefined) return false;
      throw error;
    }
    return (await hashIfThere(destination)) === digest || this.#discardObject(digest);
  }

  #discardObject(digest: string): false {
    this.#files.discard(this.fileOf(digest), `the cached object ${digest.slice(0, 12)} is damaged`);
    return false;
  }

  /**
   * Marks an action as used: its time of modification says when it was last used. If another user owns the file, lq
   * writes it again.
   * @returns whether the action is there
   */
  async #use(run: StoredRun): Promise<boolean> {
    const file = this.#actionPath(run);
    if (this.#files.touch(file)) return true;
    const text = ifThere(() => readFileSync(file, "utf8"));
    if (text === null) return false;
    // If this is not allowed either, the file only seems older than it is.
    await this.#writeAction(file, text).catch(() => undefined);
    return true;
  }

  #writeAction(file: string, text: string): Promise<void> {
    return this.#files.write(file, (temporary) => {
      writeFileSync(temporary, text);
      // Let everybody who may enter the folder read the file, with any umask.
      this.#isOpen ??= (statSync(temporary).mode & OPEN) === OPEN;
      if (!this.#isOpen) chmodSync(temporary, OPEN);
    });
  }

  #actionPath({ key, accepted }: Pick<StoredRun, "key" | "accepted">): string {
    if (accepted !== undefined) return this.#acceptedPath(key);
    return `${this.#folder}/${ACTIONS}/${key.slice(0, 2)}/${key.slice(2)}.json`;
  }

  #acceptedPath(key: string): string {
    return `${this.#accepted}/${key.slice(0, 2)}/${key.slice(2)}.json`;
  }

  get #acceptsAny(): boolean {
    return (this.#hasAccepted ??= existsSync(this.#accepted));
  }
}

/** The digest of a file; null if it was removed meanwhile. */
async function hashIfThere(file: string): Promise<string | null> {
  try {
    return await hashFile(file);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}
