/**
 * Starts commands from shells that it keeps. A fork of such a small process takes a tenth of the time of a fork of lq,
 * and a build of short commands spends most of its time on forks.
 *
 * A shell serves one command at a time, always with the same folder and environment. lq sends the command's mark and
 * its quoted words, preceded by their number of characters, because bash reads a pipe byte by byte if it has to look
 * for an end. On descriptor 3 the shell answers with the command's process id when the command has started as the
 * leader of its own group (`set -m`), and with "= STATUS" when it has ended. The output of the command comes from the
 * shell's own output. A secret mark ends it there, because lq reads the two descriptors independently.
 *
 * `-p` keeps BASH_ENV and exported functions from the shell, but not from the commands. A bash that believes that it
 * was called over a network (its input is a socket, like Node's pipes, or SSH_CLIENT is set) reads ~/.bashrc if SHLVL
 * says that no shell is above it, as in batch jobs and containers. `--norc` and SHLVL prevent this. The shell goes on
 * waiting for a stopped command (a suspended batch job). The shell also kills processes that a command leaves in its
 * group. In Node this would cost an exception for each task that leaves none. A batch system may send a signal to every
 * process of a job. The shell must survive it, because the command may be saving. It uses a trap, which its children do
 * not inherit; they would inherit an ignored signal.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { environmentText } from "./environment.ts";
import { OutputUntil } from "./output-until.ts";
import { inheritedEnvironment } from "../system/inherited-environment.ts";
import { MARK, newMark, ProcessTree, type Leader } from "../system/process-tree.ts";

/** Width of the length prefix, in digits. */
const LENGTH_DIGITS = 10;

/** A shell reports a signal N that ended or stopped a command as this number plus N. */
const SIGNALLED = 128;

const SCRIPT = `
set -m
SHLVL=2
trap : HUP TERM USR1
while read -r -N ${LENGTH_DIGITS} length && read -r -N "$length" command; do
  eval "$command" </dev/null 2>&1 3>&- &
  echo $! >&3
  wait $!
  status=$?
  while [ $status -gt ${SIGNALLED} ] && kill -0 $!; do sleep 1; wait $!; status=$?; done
  kill -KILL -- -$!
  printf %s "$1"
  echo "= $status" >&3
done
`;

/** Milliseconds that a shell gets to end when it is no longer needed. */
const LEAVE = 1000;
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** A command that was started. It emits "exit" (code, signal) when it has ended and its output is complete. */
export class Launched extends EventEmitter<{ exit: [number | null, string | null] }> implements Leader {
  readonly pid: number;
  exitCode: number | null = null;
  signalCode: string | null = null;
  groupHasEnded = false;

  constructor(pid: number) {
    super();
    this.pid = pid;
  }

  /** @param groupHasEnded whether the shell saw the command end, and killed the rest of its group */
  end(code: number | null, signal: string | null, groupHasEnded: boolean): void {
    this.exitCode = code;
    this.signalCode = signal;
    this.groupHasEnded = groupHasEnded;
    this.emit("exit", code, signal);
  }
}

export interface Start {
  readonly words: readonly string[];
  readonly cwd: string;
  /** Variables to set in addition to lq's own. */
  readonly env: { readonly [name: string]: string };
  /** The mark that finds the command's processes. */
  readonly mark: string;
  /** Variables for this command only. Its shell does not have them. */
  readonly own: { readonly [name: string]: string };
  /** Descriptors that stay open in the command and its shell until they end. The shell then serves no other command. */
  readonly leases: readonly number[];
}

interface Idle {
  readonly place: string;
  readonly launcher: Launcher;
}

export class Launchers {
  readonly #most: number;
  /** Idle shells, each with the folder and environment that it serves. The one used last is last. */
  readonly #idle: Idle[] = [];

  /** @param most how many idle shells to keep at most */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws Error when there is no bash */
  async start(
    { words, cwd, env, mark, own, leases }: Start,
    print: (chunk: Buffer) => void,
  ): Promise<Launched> {
    const place = `${cwd}\0${environmentText(env)}`;
    // Somebody may have killed an idle shell.
    const serves = (idle: Idle): boolean => idle.place === place && !idle.launcher.isOver;
    const found = leases.length > 0 ? -1 : this.#idle.findLastIndex(serves);
    const [{ launcher } = { launcher: new Launcher(cwd, env, leases) }] =
      found < 0 ? [] : this.#idle.splice(found, 1);
    const launched = await launcher.run(words, { ...own, [MARK]: mark }, print);
    launched.once("exit", () => {
      if (launcher.isOver) return;
      this.#idle.push({ place, launcher });
      if (this.#idle.length > this.#most) void this.#idle.shift()?.launcher.close();
    });
    return launched;
  }

  /** Ends the shells. No command may be running. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ launcher }) => launcher.close()));
  }
}

class Launcher {
  readonly #shell: ChildProcess;
  readonly #tree: ProcessTree;
  readonly #requests: Writable;
  /** The part of its current line that descriptor 3 has sent. */
  #answer = "";
  readonly #output: OutputUntil;
  #started: { resolve: (launched: Launched) => void; reject: (error: Error) => void } | undefined;
  #running: Launched | undefined;
  readonly #leased: boolean;
  isOver = false;

  constructor(cwd: string, env: { readonly [name: string]: string }, leases: readonly number[]) {
    this.#leased = leases.length > 0;
    const mark = newMark();
    const end = newMark();
    this.#output = new OutputUntil(end);
    this.#shell = spawn("bash", ["--norc", "-p", "-c", SCRIPT, "lq", end], {
      cwd,
      env: { ...inheritedEnvironment(), ...env, [MARK]: mark },
      detached: true,
      stdio: ["pipe", "pipe", "ignore", "pipe", ...leases],
    });
    this.#tree = new ProcessTree(this.#shell, mark);
    const [requests, output, , answers] = this.#shell.stdio as unknown as [
      Writable,
      Readable,
      null,
      Readable,
    ];
    this.#requests = requests;
    // A shell that has ended emits "exit".
    requests.on("error", () => undefined);
    output.on("data", (chunk: Buffer) => this.#output.read(chunk));
    output.once("end", () => this.#output.close());
    answers.on("data", (chunk: Buffer) => this.#hear(chunk.toString()));
    this.#shell.once("error", (error) => this.#lose(error));
    this.#shell.once("exit", (_, signal) => this.#lose(new Error(`its shell was ended by ${signal}`)));
  }

  run(argv: readonly string[], variables: Start["own"], print: (chunk: Buffer) => void): Promise<Launched> {
    this.#output.begin(print);
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      const set = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`);
      const command = `${set.join(" ")} exec ${argv.map(quote).join(" ")}`;
      this.#requests.write(String(command.length).padStart(LENGTH_DIGITS, "0") + command);
    });
  }

  async close(): Promise<void> {
    if (this.isOver) return;
    const over = once(this.#shell, "exit");
    this.#requests.end();
    this.#tree.dismiss(LEAVE);
    await over;
    // Close the pipes: a daemon may keep their other ends open for ever.
    for (const stream of this.#shell.stdio) stream?.destroy();
  }

  #hear(text: string): void {
    const lines = (this.#answer + text).split("\n");
    this.#answer = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("= ")) this.#running = this.#start(Number(line));
      // Emit it later: the caller may not listen yet.
      else void this.#output.complete.then(() => setImmediate(() => void this.#end(Number(line.slice(2)))));
    }
  }

  #start(pid: number): Launched {
    const launched = new Launched(pid);
    this.#started?.resolve(launched);
    this.#started = undefined;
    return launched;
  }

  async #end(status: number): Promise<void> {
    const signal = SIGNALS.get(status - SIGNALLED) ?? null;
    const launched = this.#running;
    this.#running = undefined;
    if (this.#leased) await this.close();
    launched?.end(signal === null ? status : null, signal, true);
  }

  #lose(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#started?.reject(error);
    this.#running?.end(null, "SIGKILL", false);
  }
}

/** Quotes a word for bash. The result is ASCII, so that every locale counts the same characters. */
function quote(word: string): string {
  if (/^[\w@%+:,./-]+$/.test(word)) return word;
  if (/^[\x01-\x7f]*$/.test(word)) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${[...Buffer.from(word)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}'`;
}
