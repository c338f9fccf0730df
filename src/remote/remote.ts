/**
 * The remote cache of one command. It never fails a build: what is not right counts as absent, and after the first
 * trouble the remote is not used any more.
 */
import { userErrorOf } from "../model/errors.ts";
import { firstNames } from "../model/cut-list.ts";
import { partsOf, type StoredRun } from "../store/action.ts";
import type { Store } from "../store/store.ts";
import { inLanes } from "../system/lanes.ts";
import type { BlobServer } from "./blob-server.ts";
import { fetchObject } from "./fetch-object.ts";
import { findRun } from "./find-run.ts";
import { RemoteTrouble, WrongContent } from "./trouble.ts";
import type { RemoteRun } from "./trust.ts";
import { Uploads } from "./uploads.ts";

/** Objects of one run that are downloaded at once. */
const LANES = 8;

export interface RemoteOptions {
  /** Whether builds send what they made. */
  readonly push: boolean;
  /** Receives the cause, once, when the remote is given up. */
  readonly onTrouble: (cause: string) => void;
}

export class Remote {
  /** As lq shows it. */
  readonly name: string;
  readonly push: boolean;
  readonly #server: BlobServer;
  readonly #store: Store;
  readonly #uploads: Uploads;
  readonly #runs = new Map<string, Promise<RemoteRun | null>>();
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #wrong = new Set<string>();
  readonly #sending = new Set<Promise<unknown>>();
  #closed = false;
  /** Why the remote is not used any more; null: it is used. */
  trouble: string | null = null;
  /** Runs that were sent and received, and the bytes of the objects received. */
  readonly counts = { uploaded: 0, downloaded: 0, bytes: 0 };

  readonly #onTrouble: (cause: string) => void;

  constructor(server: BlobServer, store: Store, { push, onTrouble }: RemoteOptions) {
    this.name = server.name;
    this.push = push;
    this.#onTrouble = onTrouble;
    this.#server = server;
    this.#store = store;
    this.#uploads = new Uploads(server, store);
  }

  /** The run of a key, if the remote has it; its objects are not in the local store yet. Asks once for each key. */
  async find(key: string): Promise<StoredRun | null> {
    let run = this.#runs.get(key);
    if (run === undefined) this.#runs.set(key, (run = this.#guard(() => findRun(this.#server, key), null)));
    return (await run)?.action ?? null;
  }

  /**
   * Brings a run into the local store, if it was found here.
   * @returns false if the remote does not have all of it; it then counts as absent
   */
  async bring({ key }: Pick<StoredRun, "key">): Promise<boolean> {
    const run = await this.#runs.get(key);
    if (!run) return true;
    const isWhole = await this.#guard(async () => {
      const parts = new Map(run.action.outputs.flatMap(partsOf).map((part) => [part.digest, part]));
      await inLanes(parts.values(), LANES, ({ digest, executable }) =>
        this.#fetch({ digest, executable, size: run.sizes.get(digest) ?? 0 }),
      );
      await this.#store.putActionText(key, run.text);
      this.counts.downloaded += 1;
      return true;
    }, false);
    this.#runs.set(key, Promise.resolve(null));
    return isWhole;
  }

  /** The content of one object of the runs that were found; null if the remote does not have it. */
  async read(digest: string): Promise<Buffer | null> {
    for (const found of this.#runs.values()) {
      const size = (await found)?.sizes.get(digest);
      if (size === undefined) continue;
      await this.#guard(() => this.#fetch({ digest, size, executable: false }), undefined);
      return this.#store.has(digest) ? this.#store.read(digest) : null;
    }
    return null;
  }

  /** Begins to send the run of a key. @returns whether it was sent, in the end */
  send(key: string): Promise<boolean> {
    const sent = this.#guard(() => this.#uploads.send(key), false).then((isSent) => {
      if (isSent) this.counts.uploaded += 1;
      return isSent;
    });
    this.#sending.add(sent);
    // A defect of lq stays in the set, for `sent` to throw it.
    void sent.then(
      () => this.#sending.delete(sent),
      () => undefined,
    );
    return sent;
  }

  /**
   * Waits until everything is sent.
   * @param progress called from time to time, with the bytes left and the bytes per second
   */
  async sent(progress: (left: number, rate: number) => void, interval = 500): Promise<void> {
    const uploads = this.#uploads;
    const [since, before] = [performance.now(), uploads.sent];
    const rate = () => ((uploads.sent - before) * 1000) / (performance.now() - since);
    const timer = setInterval(() => progress(uploads.left, rate()), interval);
    await Promise.all(this.#sending).finally(() => clearInterval(timer));
    if (performance.now() - since > interval) progress(0, rate());
  }

  /** Bytes that were sent. */
  get sentBytes(): number {
    return this.#uploads.sent;
  }

  /** A sentence about everything that was not right; null if all was. */
  get complaint(): string | null {
    if (this.#wrong.size === 0) return null;
    return `what the remote cache ${this.name} has is not all right, and counts as absent: ${firstNames([...this.#wrong], 5)}`;
  }

  /** Ends all requests; what is not sent stays unsent. */
  close(): void {
    this.#closed = true;
    this.#server.close();
  }

  async #fetch(object: { readonly digest: string; readonly size: number; readonly executable: boolean }) {
    const { digest, size } = object;
    if (this.#store.has(digest)) return;
    let fetching = this.#fetching.get(digest);
    if (fetching === undefined) {
      fetching = fetchObject(this.#server, this.#store, object)
        .then(() => {
          this.counts.bytes += size;
          this.#uploads.isThere(digest);
        })
        .catch((error: unknown) => {
          if (error instanceof WrongContent) this.#uploads.isDamaged(digest);
          throw error;
        })
        .finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, fetching);
    }
    return fetching;
  }

  /** @param otherwise the answer if the remote is not used any more, or what it gives is not right */
  async #guard<T, O>(work: () => Promise<T>, otherwise: O): Promise<T | O> {
    if (this.#closed || this.trouble !== null) return otherwise;
    try {
      return await work();
    } catch (error) {
      if (this.#closed) return otherwise;
      if (error instanceof WrongContent) this.#wrong.add(error.message);
      else this.#giveUp(error);
      return otherwise;
    }
  }

  #giveUp(error: unknown): void {
    // The local disk can be full, too.
    const { message } = error instanceof RemoteTrouble ? error : (userErrorOf(error) ?? { message: null });
    if (message === null) throw error;
    if (this.trouble !== null) return;
    this.trouble = message;
    this.#server.close();
    this.#onTrouble(message);
  }
}
