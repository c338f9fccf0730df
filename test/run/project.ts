/** A project in a folder of its own, and the real `build` on it. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach } from "vitest";
import { build, type BuildRequest, type Summary } from "../../src/run/build.ts";
import { loadPipeline } from "../../src/load/load.ts";
import type { Event } from "../../src/report/events.ts";

export interface Built {
  readonly summary: Summary;
  readonly events: readonly Event[];
  /** Ids of the tasks with each outcome, sorted. */
  readonly ran: readonly string[];
  readonly restored: readonly string[];
  readonly failed: readonly string[];
  readonly notices: readonly string[];
}

export type Options = Partial<Omit<BuildRequest, "pipeline" | "cwd">> & {
  readonly set?: readonly string[];
  readonly profiles?: readonly string[];
};

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export class Project {
  readonly root: string;

  /** @param files content by path; pipeline.yaml among them */
  constructor(files: { readonly [path: string]: string }) {
    this.root = realpathSync(mkdtempSync(path.join(os.tmpdir(), "lq-build-")));
    folders.push(this.root);
    for (const [file, content] of Object.entries(files)) this.write(file, content);
  }

  write(file: string, content: string): void {
    mkdirSync(path.dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), content);
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
      notices: events.flatMap((event) => (event.type === "notice" ? [event.text] : [])),
    };
  }
}
