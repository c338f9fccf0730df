/**
 * Sends messages to every open page, as server-sent events. Each message has a number. A page that lost its connection
 * goes on from the last message that it has. If that message is too old, the server tells the page to start again.
 */
import type { ServerResponse } from "node:http";
import { headers } from "./guard.ts";
import type { Message } from "./messages.ts";

/** How many characters of messages the server keeps for pages that connect again. */
const KEPT = 4 << 20;
/**
 * How many characters may wait for a page that does not read. Above this the server disconnects it; it connects again.
 */
const MOST_WAITING = 16 << 20;
/** Milliseconds without a message after which the stream sends a sign of life. */
const QUIET_MS = 15_000;

export class MessageStream {
  readonly #pages = new Set<ServerResponse>();
  readonly #kept: { readonly id: number; readonly text: string }[] = [];
  #size = 0;
  #id = 0;
  readonly #timer = setInterval(() => this.#write(": still here\n\n"), QUIET_MS);

  /** The number of the last message. */
  get id(): number {
    return this.#id;
  }

  get pages(): number {
    return this.#pages.size;
  }

  send(message: Message): void {
    const id = ++this.#id;
    const text = `id: ${id}\ndata: ${JSON.stringify(message)}\n\n`;
    this.#kept.push({ id, text });
    this.#size += text.length;
    while (this.#size > KEPT && this.#kept.length > 1) this.#size -= this.#kept.shift()!.text.length;
    this.#write(text);
  }

  /** @param from the number of the last message that the page has */
  open(response: ServerResponse, from: number): void {
    response.writeHead(200, { ...headers("page"), "Content-Type": "text/event-stream; charset=utf-8" });
    const oldest = this.#id - this.#kept.length;
    if (from < oldest || from > this.#id) {
      response.end("event: anew\ndata: {}\n\n");
      return;
    }
    response.write(
      `retry: 1000\n: lq\n\n${this.#kept
        .filter(({ id }) => id > from)
        .map(({ text }) => text)
        .join("")}`,
    );
    this.#pages.add(response);
    response.on("close", () => this.#pages.delete(response));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const page of this.#pages) page.end();
  }

  #write(text: string): void {
    for (const page of this.#pages)
      if (page.writableLength > MOST_WAITING) page.destroy();
      else page.write(text);
  }
}
