/** Sends runs to a remote cache: first the objects and the action's JSON, then the list that names them. */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { partsOf, decodeAction } from "../store/action.ts";
import type { Store } from "../store/store.ts";
import { sha256 } from "../system/digest.ts";
import { inLanes, Lanes } from "../system/lanes.ts";
import type { BlobServer } from "./blob-server.ts";
import type { Body } from "./connection.ts";
import { blobPath, listOf, listPath } from "./find-run.ts";
import { NotHere } from "./trouble.ts";

/** Files that are sent at once. */
const LANES = 8;
/** Up to this size, a file is read before it is sent. */
const SMALL = 1 << 20;

export class Uploads {
  readonly #server: BlobServer;
  readonly #store: Store;
  readonly #lanes = new Lanes(LANES);
  /** Blobs that are there, or on their way. */
  readonly #present = new Map<string, Promise<void>>();
  /** Blobs that are there, but damaged. */
  readonly #damaged = new Set<string>();
  /** Bytes that are still to be sent, as far as this is known, and bytes that were sent. */
  left = 0;
  sent = 0;

  constructor(server: BlobServer, store: Store) {
    this.#server = server;
    this.#store = store;
  }

  /** The remote has this blob, and it is right. */
  isThere(digest: string): void {
    this.#present.set(digest, Promise.resolve());
  }

  /** The remote has this blob, but with another content. */
  isDamaged(digest: string): void {
    this.#damaged.add(digest);
    this.#present.delete(digest);
  }

  /**
   * Sends the run of a key from the local store.
   * @returns false if the store does not have it (any more)
   * @throws RemoteTrouble
   */
  async send(key: string): Promise<boolean> {
    const text = this.#store.actionText(key);
    const action = text === undefined ? null : decodeAction(text, key);
    if (text === undefined || action === null || !this.#store.isComplete(action)) return false;
    const parts = new Map(action.outputs.flatMap(partsOf).map((part) => [part.digest, part]));
    const objects = [...parts.values()].map(({ digest, executable }) => {
      return { digest, executable, size: this.#store.sizeOf(digest) };
    });
    const json = bytesOf(text);
    const own = objects.reduce((sum, { size }) => sum + size, json.size);
    let unsent = own;
    this.left += own;
    const done = (size: number) => {
      this.left -= size;
      unsent -= size;
    };
    try {
      await inLanes(objects, LANES, async ({ digest, size }) => {
        await this.#bring(digest, size, () => this.#fileOf(digest, size));
        done(size);
      });
      await this.#bring(json.sha256, json.size, () => json);
      done(json.size);
      const list = bytesOf(listOf({ digest: json.sha256, size: json.size }, objects));
      await this.#lanes.run(() => this.#server.put(listPath(key), list));
      return true;
    } catch (error) {
      if (error instanceof NotHere) return false;
      throw error;
    } finally {
      this.left -= unsent;
    }
  }

  /** Sends a blob unless it is there. Each is asked for and sent once. */
  #bring(digest: string, size: number, body: () => Body): Promise<void> {
    let present = this.#present.get(digest);
    if (present !== undefined) return present;
    present = this.#lanes.run(async () => {
      const path = blobPath(digest);
      if (!this.#damaged.has(digest) && (await this.#server.has(path, size))) return;
      await this.#server.put(path, body());
    });
    this.#present.set(digest, present);
    present.catch(() => this.#present.delete(digest));
    return present;
  }

  #fileOf(digest: string, size: number): Body {
    const file = this.#store.fileOf(digest);
    if (size > SMALL)
      return { size, sha256: digest, content: () => Readable.from(this.#reading(file, digest, size)) };
    const content = readObject(file);
    if (sha256(content) !== digest) throw new NotHere();
    this.sent += size;
    return { size, sha256: digest, content: () => content };
  }

  /** Keeps the last part back until the digest is known to be right: a damaged object never arrives. */
  async *#reading(file: string, digest: string, size: number): AsyncGenerator<Buffer> {
    const hash = createHash("sha256");
    let [held, read]: [Buffer, number] = [Buffer.alloc(0), 0];
    for await (const part of partsOfFile(file)) {
      hash.update(part);
      read += part.length;
      this.sent += part.length;
      if (held.length > 0) yield held;
      held = part;
    }
    if (read !== size || hash.digest("hex") !== digest) throw new NotHere();
    yield held;
  }
}

function bytesOf(content: string | Buffer): Body {
  const bytes = Buffer.from(content);
  return { size: bytes.length, sha256: sha256(bytes), content: () => bytes };
}

function readObject(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    throw new NotHere();
  }
}

async function* partsOfFile(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const part of createReadStream(file, { highWaterMark: SMALL })) yield part as Buffer;
  } catch {
    throw new NotHere();
  }
}
