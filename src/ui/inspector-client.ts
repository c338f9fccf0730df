/** Starts the process of src/ui/inspector.ts for the server, and asks it questions. */
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
  /** The query of an address, without the "?". */
  readonly query: string;
  /** Number of the inspection. If it is higher than before, the process inspects the project again. */
  readonly generation: number;
}

export type InspectorReply =
  { readonly id: number; readonly text: string } | { readonly id: number; readonly error: string };

/** Milliseconds without a question after which the server ends the process. */
const IDLE_MS = 30_000;

/** Milliseconds for which an inspection stays in use while a build changes the project. */
const FORGET_MS = 2_000;
/** Inspections during a build may take at most 1/SHARE of the time. */
const SHARE = 10;

/** Says why a question has no answer. The message is for the user. */
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
  /** Milliseconds of the slowest answer. */
  #took = 0;

  constructor(setup: InspectorSetup) {
    this.#setup = setup;
  }

  /** Call this when the project has changed. The next question inspects it again. */
  forget(): void {
    this.#generation += 1;
  }

  /**
   * Call this while a build runs. It limits how often the project is inspected, because a build changes it all the
   * time.
   */
  forgetNowAndThen(): void {
    const now = performance.now();
    if (now - this.#forgot < Math.max(FORGET_MS, this.#took * SHARE)) return;
    this.#forgot = now;
    this.forget();
  }

  /** @returns the answer as JSON. @throws NoAnswer if there is none */
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
        reject(new NoAnswer("lq could not inspect the project"));
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
