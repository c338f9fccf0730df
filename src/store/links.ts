/**
 * Knows the ways to have one content at two places: in the cache and as an output.
 *
 * - `reflink`: a clone that shares its blocks until a program writes to one side. It is safe and costs nothing. Only
 *   some file systems can do it (Btrfs, XFS, APFS, ZFS; not ext4).
 * - `hardlink`: one read-only file with two names. It costs nothing. A program that writes into an output in place (as
 *   root, or after chmod) also damages the cached content. lq notices both: the output counts as edited, and the cache
 *   hashes content before it restores it.
 * - `symlink`: the output is a link into the cache. It is like `hardlink`, but also works across file systems. Without
 *   the cache the output is gone.
 * - `copy`: a second file, made by a clone if possible. It always works, and is the default.
 */
import { chmodSync, constants, copyFileSync, lstatSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { errorCode } from "../model/errors.ts";
import type { LinkKind } from "../model/model.ts";
import { link, rename, symlink } from "../files/network-files.ts";

/** Larger files are copied without blocking the event loop. */
const SMALL = 1 << 20;

/** Errors that mean that a kind of link does not work between two places. */
const USELESS = ["EXDEV", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "ENOSYS", "ENOTTY", "EPERM", "EMLINK"];

interface Content {
  readonly size: number;
  readonly executable: boolean;
}

export class Linker {
  readonly #kinds: readonly LinkKind[];

  /** @param kinds lq tries them in this order, and `copy` at the end */
  constructor(kinds: readonly LinkKind[] = []) {
    this.#kinds = [...kinds.filter((kind) => kind !== "copy"), "copy"];
  }

  /**
   * Brings a file's content to a free path in the store, read-only. It copies a symbolic link, or a file with more than
   * one name, because the cache must not share that file or make it read-only.
   * @returns the kind of link; after "symlink" the file itself is in the store, and the caller has to make a link to it
   */
  take(file: string, object: string, { size, executable }: Content): Promise<LinkKind> {
    const stats = lstatSync(file);
    const isOwn = stats.isFile() && stats.nlink === 1;
    return this.#first(isOwn ? this.#kinds : ["copy"], async (kind) => {
      if (kind === "hardlink") link(file, object);
      else if (kind === "symlink") rename(file, object);
      else await copyAs(kind, file, object, size);
      chmodSync(object, executable ? 0o555 : 0o444);
    });
  }

  /**
   * Puts an object's content at a path, in place of any file there. The caller has checked it. `mode` is the object's.
   */
  give(
    object: string,
    file: string,
    { size, executable, mode }: Content & { readonly mode: number },
  ): Promise<LinkKind> {
    // All names of a file share one mode.
    const shared = ((mode & 0o100) !== 0) === executable;
    // Remove what is there first, so that lq does not write through a link.
    rmSync(file, { force: true });
    return this.#first(this.#kinds, async (kind) => {
      if (kind === "reflink" || kind === "copy") {
        await copyAs(kind, object, file, size);
        chmodSync(file, executable ? 0o755 : 0o644);
      } else if (!shared) throw Object.assign(new Error("another mode"), { code: "EPERM" });
      else if (kind === "hardlink") link(object, file);
      else symlink(object, file);
    });
  }

  async #first(kinds: readonly LinkKind[], attempt: (kind: LinkKind) => Promise<void>): Promise<LinkKind> {
    for (const kind of kinds) {
      try {
        await attempt(kind);
        return kind;
      } catch (error) {
        if (kind === "copy" || !USELESS.includes(errorCode(error) ?? "")) throw error;
      }
    }
    throw new Error("unreachable: copy is the last kind");
  }
}

async function copyAs(kind: "reflink" | "copy", from: string, to: string, size: number): Promise<void> {
  const mode = kind === "reflink" ? constants.COPYFILE_FICLONE_FORCE : constants.COPYFILE_FICLONE;
  if (size <= SMALL) copyFileSync(from, to, mode);
  else await copyFile(from, to, mode);
}
