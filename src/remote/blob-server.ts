/** Reads and writes the files of a remote cache, each by one request. */
import type { IncomingMessage } from "node:http";
import { LIMITS, Connection, type Body, type Limits } from "./connection.ts";
import type { Place } from "./place.ts";
import { RemoteTrouble, statusTrouble, troubleOf, WrongContent } from "./trouble.ts";

const GOOD = [200, 201, 202, 204];
const NOT_THERE = 404;

export class BlobServer {
  readonly name: string;
  readonly #place: Place;
  readonly #connection: Connection;

  constructor(place: Place, limits: Limits = LIMITS) {
    this.name = place.name;
    this.#place = place;
    this.#connection = new Connection(place.authorise, limits);
  }

  /**
   * @param most bytes that the file may have
   * @returns null if it is not there
   * @throws RemoteTrouble, or WrongContent if it is larger
   */
  async read(path: string, most: number): Promise<Buffer | null> {
    const chunks: Buffer[] = [];
    const isThere = await this.#receive(path, { most }, (chunk) => void chunks.push(chunk));
    return isThere ? Buffer.concat(chunks) : null;
  }

  /**
   * @param size bytes that the file must have
   * @param take receives the bytes, in order
   * @returns false if it is not there
   * @throws RemoteTrouble, WrongContent if it has another size, or what `take` throws
   */
  download(path: string, size: number, take: (chunk: Buffer) => Promise<void> | void): Promise<boolean> {
    return this.#receive(path, { most: size, least: size }, take);
  }

  /** Whether the file is there, with this size as far as the server tells it. @throws RemoteTrouble */
  async has(path: string, size: number): Promise<boolean> {
    const answer = await this.#connection.send(this.#place.address(path), { method: "HEAD" });
    answer.resume();
    if (answer.statusCode === NOT_THERE) return false;
    requireGood(answer);
    return [undefined, String(size)].includes(answer.headers["content-length"]);
  }

  /** @throws RemoteTrouble, or what reading the body throws */
  async put(path: string, body: Body): Promise<void> {
    const answer = await this.#connection.send(this.#place.address(path), { method: "PUT", body });
    answer.resume();
    requireGood(answer);
    if (answer.statusCode === 200) refusePage(answer);
  }

  /** Ends all requests. */
  close(): void {
    this.#connection.close();
  }

  async #receive(
    path: string,
    { most, least = 0 }: { readonly most: number; readonly least?: number },
    take: (chunk: Buffer) => Promise<void> | void,
  ): Promise<boolean> {
    const answer = await this.#connection.send(this.#place.address(path), { method: "GET" });
    if (answer.statusCode !== 200) answer.resume();
    if (answer.statusCode === NOT_THERE) return false;
    requireGood(answer);
    try {
      const length = Number(answer.headers["content-length"] ?? least);
      if (length > most || length < least) throw new WrongContent(`${path} has another size`);
      let size = 0;
      for await (const chunk of reading(answer)) {
        size += chunk.length;
        if (size > most) throw new WrongContent(`${path} has another size`);
        await take(chunk);
      }
      if (size < least) throw new WrongContent(`${path} has another size`);
      return true;
    } finally {
      answer.destroy();
    }
  }
}

/** A page where a file was asked for, as a login page, is no file of a cache. */
export function refusePage({ headers }: Pick<IncomingMessage, "headers">): void {
  if (headers["content-type"]?.startsWith("text/html") === true)
    throw new RemoteTrouble("it answers with a web page, as if somebody had to log in");
}

async function* reading(answer: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (error) {
    throw troubleOf(error);
  }
}

function requireGood({ statusCode = 0 }: IncomingMessage): void {
  if (!GOOD.includes(statusCode)) throw statusTrouble(statusCode);
}
