/** Serves the project's page: the page itself, answers about the project, the stream of changes, and files. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { CommonFlags } from "../cli/options.ts";
import { installation } from "../system/installation.ts";
import { BuildWatcher } from "./build-watcher.ts";
import { ProjectChanges } from "./changes.ts";
import { openNamed, readPart, sendFile } from "./files.ts";
import type { NamedFile } from "./answers/files.ts";
import { admit, headers, newToken } from "./guard.ts";
import { Inspector, NoAnswer } from "./inspector-client.ts";
import type { Message } from "./messages.ts";
import { PUBLIC_QUESTIONS } from "./question-names.ts";
import { MessageStream } from "./stream.ts";

/** Milliseconds between two reads of the events of builds. So a page gets at most four messages a second. */
const LOOK_MS = 300;
/** Bytes from which on the server compresses an answer. */
const WORTH_ZIPPING = 2_000;
/** Bytes of a log to send at once. */
const LOG_PART = 1 << 20;

const zip = promisify(gzip);

const ASSETS: { readonly [name: string]: string } = {
  "": "text/html; charset=utf-8",
  "app.js": "text/javascript; charset=utf-8",
  "app.css": "text/css; charset=utf-8",
  "licenses.txt": "text/plain; charset=utf-8",
};

export class UiServer {
  readonly token = newToken();
  readonly http: Server;
  readonly #inspector: Inspector;
  readonly #stream = new MessageStream();
  readonly #watcher: BuildWatcher;
  readonly #changes: ProjectChanges;
  readonly #timer: NodeJS.Timeout;
  /** The project's view as JSON, with its digest. The server announces it only when the digest changes. */
  #project: { readonly text: string; readonly digest: string } | null = null;
  #inspecting = false;
  #again = false;

  constructor(root: string, flags: CommonFlags) {
    this.#inspector = new Inspector({ root, flags });
    const send = (message: Message): void => this.#stream.send(message);
    this.#watcher = new BuildWatcher(root, send);
    this.#changes = new ProjectChanges(() => this.#inspect());
    this.http = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) this.#say(response, 500, "The server could not answer this.");
        response.destroy();
        process.stderr.write(`lq ui: ${(error as Error).message}\n`);
      });
    });
    this.http.on("clientError", (_error, socket) => {
      const lines = Object.entries(headers("page")).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      if (socket.writable)
        socket.end(`HTTP/1.1 400 Bad Request\r\n${lines.join("")}Connection: close\r\n\r\n`);
    });
    this.#watcher.look();
    this.#timer = setInterval(() => {
      if (this.#watcher.look() && !this.#watcher.isRunning) this.#inspect();
    }, LOOK_MS);
    this.#inspect();
  }

  close(): void {
    clearInterval(this.#timer);
    // Pages shall show how the build ended.
    this.#watcher.look();
    this.#changes.close();
    this.#stream.close();
    this.#inspector.close();
    this.http.close();
    this.http.closeAllConnections();
  }

  /** Inspects the project again. While a build runs, its events are enough. */
  #inspect(): void {
    this.#inspector.forget();
    if (this.#inspecting) {
      this.#again = true;
      return;
    }
    if (this.#watcher.isRunning && this.#project !== null) return;
    this.#inspecting = true;
    void this.#inspectNow().finally(() => {
      this.#inspecting = false;
      if (this.#again) {
        this.#again = false;
        this.#inspect();
      }
    });
  }

  async #inspectNow(): Promise<void> {
    try {
      const text = await this.#inspector.ask("project");
      await this.#changes.watch(JSON.parse(await this.#inspector.ask("watched")) as readonly string[]);
      const digest = createHash("sha256")
        .update(text.replace(/"at":\d+/, ""))
        .digest("hex");
      if (digest === this.#project?.digest) return;
      this.#project = { text, digest };
      this.#stream.send({ kind: "project", at: Date.now() });
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const admitted = admit(request, this.token);
    if ("status" in admitted) {
      if (admitted.status === 405) response.setHeader("Allow", "GET, HEAD");
      this.#say(response, admitted.status, admitted.text);
      return;
    }
    const { path, query } = admitted;
    const isHead = request.method === "HEAD";
    const type = Object.hasOwn(ASSETS, path) ? ASSETS[path] : undefined;
    if (type !== undefined) {
      this.#send(request, response, asset(path), type);
      return;
    }
    if (path === "api/stream" && !isHead) {
      const last = request.headers["last-event-id"] ?? new URLSearchParams(query).get("from");
      this.#stream.open(response, Number(last ?? NaN));
      return;
    }
    if (path === "api/snapshot") {
      this.#send(request, response, this.#snapshot(), JSON_TYPE);
      return;
    }
    if (path === "api/log") return this.#log(request, response, new URLSearchParams(query));
    if (path.startsWith("files/")) return this.#file(response, path.slice("files/".length), isHead);
    const name = /^api\/([a-z-]+)$/.exec(path)?.[1] ?? "";
    if (!PUBLIC_QUESTIONS.has(name)) {
      this.#say(response, 404, "There is nothing at this address.");
      return;
    }
    await this.#ask(request, response, name, query);
  }

  async #ask(request: IncomingMessage, response: ServerResponse, name: string, query: string): Promise<void> {
    if (this.#watcher.isRunning) this.#inspector.forgetNowAndThen();
    try {
      this.#send(request, response, await this.#inspector.ask(name, query), JSON_TYPE);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      this.#say(response, 404, error.message);
    }
  }

  #snapshot(): string {
    const head = JSON.stringify({ id: this.#stream.id, now: Date.now(), watched: this.#watcher.watched });
    return `${head.slice(0, -1)},"project":${this.#project?.text ?? "null"}}`;
  }

  async #file(response: ServerResponse, path: string, isHead: boolean): Promise<void> {
    const named = JSON.parse(await this.#inspector.ask("file", { path })) as NamedFile | null;
    const descriptor = named && openNamed(named);
    if (descriptor === null) this.#say(response, 404, "The project names no such file, or it is not there.");
    else sendFile(response, descriptor, path, isHead);
  }

  async #log(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> {
    const named = JSON.parse(
      await this.#inspector.ask("log", { task: query.get("task") ?? "" }),
    ) as NamedFile | null;
    const from = Number(query.get("from") ?? 0);
    const descriptor = named && openNamed(named);
    if (descriptor === null || !Number.isSafeInteger(from) || from < 0) {
      this.#say(response, 404, "There is no log of this task.");
      return;
    }
    this.#send(request, response, JSON.stringify(readPart(descriptor, from, LOG_PART)), JSON_TYPE);
  }

  #say(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, { ...headers("page"), "Content-Type": "text/plain; charset=utf-8" });
    response.end(`${text}\n`);
  }

  #send(request: IncomingMessage, response: ServerResponse, content: string | Buffer, type: string): void {
    const isZipped =
      content.length > WORTH_ZIPPING && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
    const encoding = isZipped ? { "Content-Encoding": "gzip" } : {};
    response.writeHead(200, { ...headers("page"), "Content-Type": type, ...encoding });
    if (request.method === "HEAD") response.end();
    else if (!isZipped) response.end(content);
    else
      zip(content, { level: 1 }).then(
        (zipped) => response.end(zipped),
        () => response.destroy(),
      );
  }
}

const JSON_TYPE = "application/json; charset=utf-8";

function asset(name: string): Buffer {
  return readFileSync(join(installation(), "dist/ui", name === "" ? "index.html" : name));
}
