/**
 * Asks Python what its files mean and import (read.py). It starts one process for each build, at the first question.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import * as z from "zod/mini";
import { installation } from "../system/installation.ts";

/** Python's answer about one file. */
export type PythonFile = z.infer<typeof PythonFile>;

export const PythonFile = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("read"),
    /** Two files have equal digests if and only if their `ast.dump(…, include_attributes=False)` are equal. */
    digest: z.string(),
    imports: z.array(z.object({ module: z.string(), level: z.number(), names: z.array(z.string()) })),
    /** Places where it may use code that its text does not show. */
    unknown: z.array(z.object({ what: z.string(), line: z.number() })),
    /** The texts of `__all__`. */
    all: z.array(z.string()),
  }),
  /** Python cannot parse it. */
  z.object({ kind: z.literal("refused"), why: z.string(), line: z.number() }),
  z.object({ kind: z.literal("unreadable"), why: z.string() }),
]);

export type PythonImport = Extract<PythonFile, { kind: "read" }>["imports"][number];

/** Seconds for one file. The largest file of Python's own library takes 0.1 s. */
const LIMIT = 60;

type Process = ChildProcessByStdio<Writable, Readable, null>;

export class PythonReader {
  readonly #python: string;
  #process: Process | null = null;
  /** The last read. Each read waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();
  #hear: (answer: PythonFile) => void = () => undefined;

  /** @param python absolute path of the interpreter */
  constructor(python: string) {
    this.#python = python;
  }

  /** @param file absolute path */
  read(file: string): Promise<PythonFile> {
    const answer = this.#last.then(() => this.#ask(file));
    this.#last = answer;
    return answer;
  }

  /** Ends the process. A later read starts it again. */
  async close(): Promise<void> {
    await this.#last;
    const running = this.#process;
    if (running === null) return;
    this.#process = null;
    const over = once(running, "close");
    running.stdin.end();
    await over;
  }

  #ask(file: string): Promise<PythonFile> {
    const process = (this.#process ??= this.#start());
    return new Promise((resolve) => {
      const limit = setTimeout(() => process.kill("SIGKILL"), LIMIT * 1000);
      this.#hear = (answer) => {
        clearTimeout(limit);
        resolve(answer);
      };
      process.stdin.write(`${JSON.stringify(file)}\n`);
    });
  }

  #start(): Process {
    const script = join(installation(), "src/followed/read.py");
    const child: Process = spawn(this.#python, ["-I", "-S", "-W", "ignore", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    // The "close" event reports that the process is gone.
    child.stdin.on("error", () => undefined);
    child.on("error", () => undefined);
    createInterface(child.stdout).on("line", (line) => this.#hear(PythonFile.parse(JSON.parse(line))));
    child.once("close", () => {
      if (this.#process === child) this.#process = null;
      // Too deep nesting crashes some versions of Python.
      this.#hear({ kind: "refused", why: "Python ended while it read the file", line: 1 });
    });
    return child;
  }
}
