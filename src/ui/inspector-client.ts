/** The server's side of src/ui/inspector.ts. */
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { CommonFlags } from "../cli/options.ts";
import { installation } from "../system/installation.ts";

export interface InspectorSetup {
  readonly flags: CommonFlags;
  readonly root: string;
}

export interface InspectorRequest {
  readonly id: number;
  readonly name: string;
  /** As in an address, without the "?". */
  readonly query: string;
  /** Of the project as it is known: a higher one wants it looked at again. */
  readonly generation: number;
}

export type InspectorReply =
  { readonly id: number; readonly text: string } | { readonly id: number; readonly error: string };

/** Milliseconds without a question after which the process is ended. */
const IDLE_MS = 30_000;

/** Milliseconds for which an answer about a project that is being built holds. */
const FORGET_MS = 2_000;
/** Looking at the project again may take this part of the time. */
const SHARE = 10;

/** A question that has no answer, in words for the one who asked. */
export class NoAnswer extends Error {}

export class Inspector {
  readonly #setup: InspectorSetup;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void }
  >();
  #child: ChildProcess | null = null;
  #asked = 0;
  #generation = 0;
  #idle: NodeJS.Timeout | undefined;
  #forgot = -Infinity;
  /** Milliseconds that the longest answer took. */
  #took = 0;

  constructor(setup: InspectorSetup) {
    this.#setup = setup;
  }

  /** What is known of the project is out of date: the next question looks at it again. */
  forget(): void {
    this.#generation += 1;
  }

  /** The same beside a running build, which changes the project all the time: not too often. */
  forgetNowAndThen(): void {
    const now = performance.now();
    if (now - this.#forgot < Math.max(FORGET_MS, this.#took * SHARE)) return;
    this.#forgot = now;
    this.forget();
  }

  /** @returns JSON. @throws NoAnswer */
  ask(name: string, query: Readonly<Record<string, string>> | string = ""): Promise<string> {
    const id = ++this.#asked;
    const request: InspectorRequest = {
      ...{ id, name, generation: this.#generation },
      query: typeof query === "string" ? query : new URLSearchParams(query).toString(),
    };
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const done = (text: string): void => {
        this.#took = Math.max(this.#took, performance.now() - began);
        resolve(text);
      };
      this.#waiting.set(id, { resolve: done, reject });
      clearTimeout(this.#idle);
      (this.#child ??= this.#start()).send(request);
    });
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#child?.disconnect();
    this.#child = null;
  }

  #start(): ChildProcess {
    const child = fork(join(installation(), "dist/ui/inspector.js"), [JSON.stringify(this.#setup)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.on("message", (reply: InspectorReply) => this.#take(reply));
    child.on("exit", () => {
      if (this.#child === child) this.#child = null;
      for (const { reject } of this.#waiting.values())
        reject(new NoAnswer("the project could not be looked at"));
      this.#waiting.clear();
    });
    return child;
  }

  #take(reply: InspectorReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (this.#waiting.size === 0) {
      this.#idle = setTimeout(() => this.close(), IDLE_MS);
      this.#idle.unref();
    }
    if ("text" in reply) waiting?.resolve(reply.text);
    else waiting?.reject(new NoAnswer(reply.error));
  }
}
