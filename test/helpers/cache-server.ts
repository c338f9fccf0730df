/** A cache server in this process, as Bazel's HTTP protocol wants it, which tests can make faulty. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Seen {
  readonly method: string;
  /** Without the first "/". */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly length: string | undefined;
  readonly chunked: boolean;
}

/** Answers a request in place of the server. @returns false: the server shall answer */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export class CacheServer {
  readonly files = new Map<string, Buffer>();
  readonly seen: Seen[] = [];
  fault: Fault | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Runs until the test has ended. */
  static async start(): Promise<CacheServer> {
    const server = await CacheServer.open();
    onTestFinished(() => server.stop());
    return server;
  }

  /** Runs until it is stopped. */
  static async open(): Promise<CacheServer> {
    const server = new CacheServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/lq`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Paths of requests of a method so far, sorted. */
  paths(method: string): string[] {
    return this.seen.flatMap((each) => (each.method === method ? [each.path] : [])).sort();
  }

  /** Names in a folder: "ac" or "cas". */
  names(folder: string): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(`lq/${folder}/`));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const path = url.slice(1);
    const { authorization } = headers;
    const chunked = headers["transfer-encoding"] !== undefined;
    this.seen.push({ method, path, authorization, length: headers["content-length"], chunked });
    if ((await this.fault?.(request, response)) === true) return;
    if (method === "PUT") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      response.writeHead(this.files.has(path) ? 204 : 201).end();
      this.files.set(path, Buffer.concat(chunks));
      return;
    }
    const file = this.files.get(path);
    if (file === undefined) response.writeHead(404).end("no such file");
    else response.writeHead(200, { "content-length": file.length }).end(method === "HEAD" ? undefined : file);
  }
}
