/** A project in its own folder, and lq as a process that works on it. */
import { execFileSync, spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { watch } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterEach } from "vitest";
import { Project, type Built } from "./project.ts";
import { HOME } from "./bundle.ts";

export interface JsonLine {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const started = new Set<Lq>();

afterEach(async ({ task }) => {
  for (const lq of started) {
    if (task.result?.state === "fail") lq.tellIfRunning();
    lq.kill("SIGKILL");
  }
  await Promise.all([...started].map(({ ended }) => ended));
  started.clear();
});

/** Whether lq can be run as other users: this process is root, and they can read lq. */
export function canBeOthers(): boolean {
  const look = ["-e", `fs.accessSync(${JSON.stringify(`${HOME}dist/cli.cjs`)})`];
  return process.getuid?.() === 0 && spawnSync(process.execPath, look, { uid: 4711, gid: 4711 }).status === 0;
}

/**
 * @param files content by path
 * @param user id of the user who owns the project and runs lq; undefined: the user who runs the tests
 */
export function cliProject(files: { readonly [path: string]: string }, user?: number): CliProject {
  const project = new CliProject(user);
  for (const [path, content] of Object.entries(files)) project.write(path, content);
  return project;
}

export class CliProject extends Project {
  readonly #user: number | undefined;

  constructor(user?: number) {
    super({});
    this.#user = user;
    this.#own(this.root);
  }

  override write(path: string, content: string): void {
    super.write(path, content);
    this.#own(this.path(path.split("/")[0] ?? ""));
  }

  /** Waits until a file is there and not empty. @returns its text, trimmed */
  async appears(path: string): Promise<string> {
    const watcher = watch(dirname(this.path(path)));
    try {
      while (!this.has(path) || this.read(path) === "")
        await new Promise((resolve) => watcher.once("change", resolve));
      return this.read(path).trim();
    } finally {
      watcher.close();
    }
  }

  /** Builds in this process, for tests that are not about the command. @throws Error if a task fails */
  async built(...targets: string[]): Promise<Built> {
    const built = await this.build({ targets });
    for (const event of built.events)
      if (event.type === "task" && event.outcome === "failed")
        throw new Error(`${event.task}: ${event.error}`);
    return built;
  }

  start(...words: string[]): Lq {
    return new Lq(words, this.root, { user: this.#user });
  }

  /** Runs lq with these environment variables over those of the tests. */
  lqIn(variables: NodeJS.ProcessEnv, ...words: string[]): Promise<Ended> {
    return new Lq(words, this.root, { user: this.#user, variables }).ended;
  }

  lq(...words: string[]): Promise<Ended> {
    return this.start(...words).ended;
  }

  /** Runs a command with --json. @returns its lines */
  async json(...words: string[]): Promise<JsonLine[]> {
    const { stdout } = await this.lq(...words, "--json");
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonLine);
  }

  #own(path: string): void {
    if (this.#user !== undefined) execFileSync("chown", ["-R", `${this.#user}:${this.#user}`, path]);
  }
}

export class Lq {
  readonly ended: Promise<Ended>;
  readonly #words: readonly string[];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: string[] = [];
  /** Number of lines that `line` has passed. */
  #read = 0;
  #wake: () => void = () => undefined;
  #over = false;

  /** @param variables environment variables over those of the tests */
  constructor(
    words: readonly string[],
    cwd: string,
    {
      user,
      variables = {},
    }: { readonly user?: number | undefined; readonly variables?: NodeJS.ProcessEnv } = {},
  ) {
    this.#words = words;
    const env = { ...process.env, NO_COLOR: "1", ...variables };
    this.#child = spawn(process.execPath, [`${HOME}dist/cli.cjs`, ...words], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    });
    started.add(this);
    const out: string[] = [];
    const err: string[] = [];
    this.#child.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
    this.#child.stderr.on("data", (chunk: Buffer) => err.push(chunk.toString()));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      createInterface(stream).on("line", (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    this.ended = new Promise((resolve) =>
      this.#child.once("close", (code) => {
        this.#over = true;
        this.#wake();
        resolve({ code, stdout: out.join(""), stderr: err.join("") });
      }),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** For a failed test: prints the output so far, and what the threads and children wait for. */
  tellIfRunning(): void {
    if (this.#over) return;
    const pid = String(this.pid);
    const columns = "pid,ppid,tid,stat,wchan:24,args";
    const { stdout } = spawnSync("ps", ["-L", "-o", columns, "-p", pid, "--ppid", pid], { encoding: "utf8" });
    console.error(`lq ${this.#words.join(" ")} is still running:\n${this.#lines.join("\n")}\n${stdout}`);
  }

  /** Waits for the next line that contains the text, after the lines passed already. @returns the lines up to it */
  async line(text: string): Promise<string[]> {
    const passed: string[] = [];
    for (;;) {
      for (let line = this.#lines[this.#read]; line !== undefined; line = this.#lines[this.#read]) {
        this.#read += 1;
        passed.push(line);
        if (line.includes(text)) return passed;
      }
      if (this.#over) throw new Error(`lq ended without printing "${text}":\n${passed.join("\n")}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
