/** A project in its own folder, and the real `build` in this process. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { loadPipeline } from "../../src/load/load.ts";
import type { Event } from "../../src/report/events.ts";
import { build, type BuildRequest, type Summary } from "../../src/run/build.ts";
import { HOME } from "./bundle.ts";
import { testFolder, writeFile } from "./folder.ts";

export interface Built {
  readonly summary: Summary;
  readonly events: readonly Event[];
  /** Ids of the tasks with each outcome, sorted. */
  readonly ran: readonly string[];
  readonly restored: readonly string[];
  readonly failed: readonly string[];
  /** Errors of the failed tasks, in the order in which they failed. */
  readonly errors: readonly string[];
  readonly notices: readonly string[];
  /** Further attempts at failed tasks, in the order of their start. */
  readonly retries: readonly Extract<Event, { readonly type: "retry" }>[];
}

export type Options = Partial<Omit<BuildRequest, "pipeline" | "cwd">> & {
  readonly set?: readonly string[];
  readonly profiles?: readonly string[];
};

export class Project {
  readonly root: string;

  /** @param files content by path; pipeline.yaml among them */
  constructor(files: { readonly [path: string]: string }) {
    this.root = testFolder(files);
  }

  write(file: string, content: string): void {
    writeFile(this.root, file, content);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  has(file: string): boolean {
    return existsSync(this.path(file));
  }

  remove(file: string): void {
    rmSync(this.path(file), { recursive: true });
  }

  path(file: string): string {
    return path.join(this.root, file);
  }

  /** Makes named pipes: a process that opens one to write waits for a reader. */
  fifo(...files: readonly string[]): void {
    execFileSync(
      "mkfifo",
      files.map((file) => this.path(file)),
    );
  }

  /** Waits until a process writes into a named pipe. @returns the text until the process closes the pipe */
  async received(fifo: string): Promise<string> {
    return readFile(this.path(fifo), "utf8");
  }

  /** Gives the project this repository's node_modules, for task modules that import packages. @returns itself */
  withPackages(): this {
    symlinkSync(`${HOME}node_modules`, this.path("node_modules"));
    return this;
  }

  request(options: Options = {}): BuildRequest {
    const { set = [], profiles = [], ...rest } = options;
    const pipeline = loadPipeline({ dir: this.root, profiles, set });
    return { targets: [], ...rest, pipeline, cwd: this.root };
  }

  async build(options: Options = {}): Promise<Built> {
    const events: Event[] = [];
    const listener = (event: Event): void => {
      events.push(event);
      options.listener?.(event);
    };
    const summary = await build(this.request({ ...options, listener }));
    const having = (outcome: string): string[] =>
      events
        .flatMap((event) => (event.type === "task" && event.outcome === outcome ? [event.task] : []))
        .sort();
    return {
      summary,
      events,
      ran: having("ran"),
      restored: having("restored"),
      failed: having("failed"),
      errors: events.flatMap((event) =>
        event.type === "task" && event.outcome === "failed" ? [event.error ?? ""] : [],
      ),
      notices: events.flatMap((event) => (event.type === "notice" ? [event.text] : [])),
      retries: events.filter((event) => event.type === "retry"),
    };
  }
}
