/**
 * Ways to have one content at two places: in the cache and as an output.
 *
 * - `reflink`: a clone that shares its blocks until one side is written. Safe, and costs nothing, where the file
 *   system can (Btrfs, XFS, APFS, ZFS; not ext4).
 * - `hardlink`: one read-only file with two names. Costs nothing. A program that writes into an output in place (as
 *   root, or after chmod) also damages the cached content. lq notices both: the output counts as edited, and the cache
 *   hashes content before it gives it out.
 * - `symlink`: the output is a link into the cache. Like `hardlink`, but also across file systems. Without the cache
 *   the output is gone.
 * - `copy`: a second file, made by a clone if possible. Always works; this is the default.
 */
import { chmodSync, constants, copyFileSync, lstatSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { errorCode } from "../model/errors.ts";
import type { LinkKind } from "../model/model.ts";
import { link, rename, symlink } from "../files/network-files.ts";

/** Above this, copying goes beside the event loop. */
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
   * Brings a file's content to a free path in the store, read-only. A symbolic link, or a file with
   * further names, is copied and stays: the cache must not share the file behind it or make that file read-only.
   * @returns how; after "symlink" the file itself was moved there, and the caller has to leave a link in its place
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

  /** Brings an object's content, which the caller has checked, in place of a file, if there is one. `mode` is the object's. */
  give(
    object: string,
    file: string,
    { size, executable, mode }: Content & { readonly mode: number },
  ): Promise<LinkKind> {
    // All names of a file share one mode.
    const shared = ((mode & 0o100) !== 0) === executable;
    // Do not write through a link at this place.
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
