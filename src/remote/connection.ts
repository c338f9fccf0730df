/**
 * HTTP requests to one server. Connections stay open between requests. No request waits for ever, and a redirect to
 * another server is followed without credentials.
 */
import http from "node:http";
import https from "node:https";
import { pipeline, type Readable } from "node:stream";
import { RemoteTrouble, troubleOf } from "./trouble.ts";

export interface Limits {
  /** Milliseconds until a connection must be there. */
  readonly connect: number;
  /** Milliseconds without a byte, in either direction, until a request has failed. */
  readonly idle: number;
}

export const LIMITS: Limits = { connect: 5_000, idle: 30_000 };

export interface Body {
  readonly size: number;
  readonly sha256: string;
  /** Called once for each time that the body is sent. */
  content(): Buffer | Readable;
}

export interface Request {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly body?: Body;
}

/** Gives the headers that authorise a request. Only asked about the server's own addresses. */
export type Authorise = (url: URL, request: Request) => Promise<Headers> | Headers;
export interface Headers {
  readonly [name: string]: string;
}

/** Connections at once. */
const CONNECTIONS = 16;
const MOST_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

export class Connection {
  readonly #authorise: Authorise;
  readonly #limits: Limits;
  readonly #agents = {
    "http:": new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS }),
    "https:": new https.Agent({ keepAlive: true, maxSockets: CONNECTIONS }),
  };
  readonly #active = new Set<http.ClientRequest>();
  #closed = false;

  constructor(authorise: Authorise, limits: Limits) {
    this.#authorise = authorise;
    this.#limits = limits;
  }

  /**
   * @returns the answer, whose body the caller reads to its end or destroys
   * @throws RemoteTrouble
   */
  async send(url: URL, request: Request): Promise<http.IncomingMessage> {
    const { origin } = url;
    for (let at = url, redirects = 0; ; redirects++) {
      // Who sends us elsewhere must not get the credentials there.
      const headers = at.origin === origin ? await this.#authorise(at, request) : {};
      const answer = await this.#exchange(at, request, headers);
      if (!REDIRECTS.includes(answer.statusCode ?? 0)) return answer;
      answer.resume();
      if (redirects === MOST_REDIRECTS) throw new RemoteTrouble("it redirects again and again");
      at = redirected(at, answer, request);
    }
  }

  /** Ends all requests. */
  close(): void {
    this.#closed = true;
    for (const request of this.#active) request.destroy();
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #exchange(url: URL, request: Request, headers: Headers): Promise<http.IncomingMessage> {
    for (let isFirst = true; ; isFirst = false) {
      if (this.#closed) throw new RemoteTrouble("it is closed");
      const sent = this.#start(url, request, headers, isFirst);
      try {
        return await sent.answer;
      } catch (error) {
        // The server may close a connection just when it is used again. Then a new connection is needed: others that
        // were kept may be closed as well.
        const { code } = error as NodeJS.ErrnoException;
        if (!isFirst || !sent.request.reusedSocket || (code !== "ECONNRESET" && code !== "EPIPE"))
          throw troubleOf(error);
      }
    }
  }

  /** @param mayReuse whether a connection of an earlier request will do */
  #start(url: URL, { method, body }: Request, headers: Headers, mayReuse: boolean) {
    const secure = url.protocol === "https:";
    const request = (secure ? https : http).request(url, {
      method,
      agent: mayReuse && this.#agents[secure ? "https:" : "http:"],
      headers: {
        ...headers,
        "accept-encoding": "identity",
        ...(body && { "content-type": "application/octet-stream", "content-length": String(body.size) }),
      },
    });
    this.#limit(request, secure ? "secureConnect" : "connect");
    this.#active.add(request);
    request.once("close", () => this.#active.delete(request));
    const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once("response", (message) => {
        // An answer that comes before the body is sent is a refusal: the rest need not be sent.
        if (!request.writableEnded) message.once("end", () => request.destroy());
        resolve(message);
      });
      request.on("error", reject);
      const content = body?.content();
      if (content === undefined || Buffer.isBuffer(content)) request.end(content);
      else pipeline(content, request, (error) => error && reject(error));
    });
    return { request, answer };
  }

  #limit(request: http.ClientRequest, connected: "connect" | "secureConnect"): void {
    const { connect, idle } = this.#limits;
    let answer: http.IncomingMessage | undefined;
    request.once("response", (message) => (answer = message));
    // Once there is an answer, its reader gets the error.
    const fail = (text: string) => (answer ?? request).destroy(new RemoteTrouble(text));
    request.setTimeout(idle, () => fail(`no byte came for ${idle / 1000} s`));
    request.once("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => fail(`no connection within ${connect / 1000} s`), connect);
      for (const event of [connected, "close"]) socket.once(event, () => clearTimeout(timer));
    });
  }
}

function redirected(from: URL, { statusCode, headers }: http.IncomingMessage, { method }: Request): URL {
  if (method === "PUT" && statusCode !== 307 && statusCode !== 308)
    throw new RemoteTrouble(`it redirects an upload (HTTP status ${statusCode})`);
  let to: URL;
  try {
    to = new URL(headers.location ?? "", from);
  } catch {
    throw new RemoteTrouble("it redirects to no address");
  }
  const isAllowed = to.protocol === "https:" || (to.protocol === "http:" && from.protocol === "http:");
  if (!isAllowed) throw new RemoteTrouble("it redirects to an address that is not https");
  [to.username, to.password] = ["", ""];
  return to;
}
