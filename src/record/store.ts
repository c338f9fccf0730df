/**
 * Objects (blobs by digest) and actions (successful runs by key).
 *
 * Every file is written under a temporary name and renamed, so that it is there whole or not at all. An object
 * or action that turns out damaged is removed and counts as absent; the notice says so.
 */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "../fingerprint/digest.ts";
import { hashFile } from "../fingerprint/files.ts";
import { decodeAction, encodeAction, type Action } from "./action.ts";
import { ACTIONS, OBJECTS } from "./layout.ts";

/** Up to here a file is read once, for checking and copying both. */
const SMALL = 1 << 20;

export class Store {
  readonly #root: string;
  readonly #notice: (text: string) => void;
  readonly #made = new Set<string>();

  /** @param notice told, in a sentence, of damage found */
  constructor(root: string, notice: (text: string) => void = () => undefined) {
    this.#root = root;
    this.#notice = notice;
  }

  /** Stores a file's content; a content that is there already is not written again. */
  async putFile(file: string, digest: string): Promise<void> {
    const object = this.#objectPath(digest);
    const { size } = statSync(file);
    if (statSync(object, { throwIfNoEntry: false })?.size === size) return;
    await this.#write(object, async (temporary) => {
      await copy(file, temporary, size);
      chmodSync(temporary, 0o444);
    });
  }

  /** To be called when all objects of the action are stored. */
  async putAction(action: Action): Promise<void> {
    const text = encodeAction(action);
    await this.#write(this.#actionPath(action.key), (temporary) => writeFileSync(temporary, text));
  }

  /** The action of a key; undefined if there is none (that is whole). */
  action(key: string): Action | undefined {
    const file = this.#actionPath(key);
    const text = readOrNull(file);
    if (text === null) return undefined;
    const action = decodeAction(text, key);
    if (action !== null) return action;
    this.#discard(file, `the cached action ${key.slice(0, 12)} is damaged`);
    return undefined;
  }

  /** Whether there is an action with all its objects, by their presence alone. */
  has(key: string): boolean {
    return this.#isComplete(this.action(key));
  }

  /**
   * Copies an action's outputs out of the store.
   * @param destinations absolute, in a staging folder, one an output; null for one that is not needed
   * @returns false if an object is missing or damaged: the action then counts as absent
   */
  async restore(action: Action, destinations: readonly (string | null)[]): Promise<boolean> {
    if (!this.#isComplete(action)) return false;
    for (const [i, output] of action.outputs.entries()) {
      const destination = destinations[i] ?? null;
      if (destination === null) continue;
      if (output.kind === "directory") mkdirSync(destination, { recursive: true });
      const parts = output.kind === "file" ? [{ ...output, name: "" }] : output.entries;
      for (const { name, digest, executable } of parts)
        if (!(await this.#copyOut(digest, executable, join(destination, name)))) return false;
    }
    return true;
  }

  /** Content of an object; null if it is missing or damaged. */
  read(digest: string): Buffer | null {
    const file = this.#objectPath(digest);
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return null;
    const content = readFileSync(file);
    if (sha256(content) === digest) return content;
    this.#discardObject(digest);
    return null;
  }

  #isComplete(action: Action | undefined): action is Action {
    if (action === undefined) return false;
    const digests = action.outputs.flatMap((output) =>
      output.kind === "file" ? [output.digest] : output.entries.map((entry) => entry.digest),
    );
    return digests.every(
      (digest) => statSync(this.#objectPath(digest), { throwIfNoEntry: false }) !== undefined,
    );
  }

  async #copyOut(digest: string, executable: boolean, destination: string): Promise<boolean> {
    const object = this.#objectPath(digest);
    const size = statSync(object, { throwIfNoEntry: false })?.size;
    if (size === undefined) return false;
    mkdirSync(dirname(destination), { recursive: true });
    const mode = executable ? 0o755 : 0o644;
    if (size <= SMALL) {
      const content = readFileSync(object);
      if (sha256(content) !== digest) return this.#discardObject(digest);
      writeFileSync(destination, content, { mode });
      return true;
    }
    await copy(object, destination, size);
    chmodSync(destination, mode);
    return (await hashFile(destination)) === digest || this.#discardObject(digest);
  }

  #discardObject(digest: string): false {
    this.#discard(this.#objectPath(digest), `the cached object ${digest.slice(0, 12)} is damaged`);
    return false;
  }

  #discard(file: string, what: string): void {
    try {
      rmSync(file, { force: true });
      this.#notice(`${what}; it was removed, and what needs it is built again`);
    } catch {
      this.#notice(`${what}, and cannot be removed; what needs it is built again`);
    }
  }

  async #write(file: string, fill: (temporary: string) => void | Promise<void>): Promise<void> {
    const folder = dirname(file);
    if (!this.#made.has(folder)) mkdirSync(folder, { recursive: true });
    this.#made.add(folder);
    const temporary = `${file}.${randomUUID()}`;
    try {
      await fill(temporary);
      renameSync(temporary, file);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  #objectPath(digest: string): string {
    return `${this.#root}/${OBJECTS}/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  #actionPath(key: string): string {
    return `${this.#root}/${ACTIONS}/${key.slice(0, 2)}/${key.slice(2)}.json`;
  }
}

/** A clone where the file system can share blocks, else a copy; beside the event loop if it is large. */
async function copy(from: string, to: string, size: number): Promise<void> {
  if (size <= SMALL) copyFileSync(from, to, constants.COPYFILE_FICLONE);
  else await copyFile(from, to, constants.COPYFILE_FICLONE);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
