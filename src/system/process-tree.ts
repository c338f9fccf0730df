/**
 * A child of lq together with every process that it starts, directly or not. Ending the tree leaves nothing behind.
 *
 * Each child leads a process group of its own. A process that leaves the group (setsid, a daemon) still has a mark in
 * its environment: processes inherit it, and Linux shows it in /proc. On Linux a process escapes only if it leaves the
 * group, clears its environment and has lost its parent. On other systems it escapes when it leaves the group.
 *
 * We rejected cgroups and pid namespaces, because a user may lack the rights. We rejected a subreaper and a
 * parent-death signal, because Node has no call for them and the signal reaches only direct children.
 */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isOver, processStat } from "./process-stat.ts";
import { afterAwake } from "./awake.ts";
import { startWatchdog } from "./watchdog.ts";

/** Environment variable of every process that a task starts: "RUN/NUMBER". */
export const MARK = "LQ_TASK";

/** Identifies this lq process. Its staging folder has this name, so that the next lq can end what a killed one left. */
export const RUN = randomBytes(8).toString("hex");

const groups = new Set<number>();
let marks = 0;

/**
 * A value of `MARK` for a new child. After the first call, the watchdog kills everything that outlives this process.
 */
export function newMark(): string {
  if (marks === 0) {
    startWatchdog(MARK, RUN);
    process.on("exit", () => groups.forEach((group) => signalGroup(group, "SIGKILL")));
  }
  return `${RUN}/${marks++}`;
}

/** The first process of a tree. The others descend from it and are in its group unless they leave it. */
export interface Leader {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  /** True if the rest of its group was already killed after the leader ended. */
  readonly groupHasEnded?: boolean;
  once(event: "exit", listener: (code: number | null) => void): unknown;
}

export class ProcessTree {
  readonly #child: Leader;
  readonly #mark: string;
  #ending = false;

  /** @param child a process that was just started with `detached` and with the mark in its environment */
  constructor(child: Leader, mark: string) {
    this.#child = child;
    this.#mark = mark;
    const { pid } = child;
    if (pid === undefined) return;
    groups.add(pid);
    child.once("exit", (code) => {
      groups.delete(pid);
      // Kill the processes that the leader left in its group.
      if (child.groupHasEnded !== true) signalGroup(pid, "SIGKILL");
      if (this.#ending || code !== 0) killMarked(mark);
    });
  }

  /** Sends SIGTERM, and kills the whole tree after `grace` milliseconds. The child emits "exit" when it has ended. */
  end(grace: number): void {
    this.#ending = true;
    this.dismiss(grace);
  }

  /** Ends an idle child, which probably has left no processes. */
  dismiss(grace: number): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    signalGroup(pid, "SIGTERM");
    const cancelKill = afterAwake(grace, () => this.kill());
    this.#child.once("exit", cancelKill);
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    this.#ending = true;
    killMarked(this.#mark);
    signalGroup(pid, "SIGKILL");
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}

/** Stops the groups of all children for as long as `wait` takes. */
export function whileStopped(wait: () => void): void {
  const stopped = [...groups];
  stopped.forEach((group) => signalGroup(group, "SIGSTOP"));
  wait();
  stopped.forEach((group) => signalGroup(group, "SIGCONT"));
}

/** Kills every process that an earlier lq process has started. */
export function killRun(run: string): void {
  killMarked(`${run}/`);
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalAll([-group], signal);
}

function signalAll(targets: Iterable<number>, signal: NodeJS.Signals): void {
  for (const target of targets) {
    try {
      process.kill(target, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Search again after each kill: a process may start another one during the search. */
const MOST_ROUNDS = 10;

/** @param mark a whole mark, or its first part with the "/" */
function killMarked(mark: string): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = findMarked(mark);
    if (found.size === 0) return;
    signalAll(found, "SIGKILL");
  }
}

/** Processes that have the mark, and all their descendants. */
function findMarked(mark: string): ReadonlySet<number> {
  const pattern = `\0${MARK}=${mark}${mark.endsWith("/") ? "" : "\0"}`;
  const found = new Set<number>();
  const children = new Map<number, number[]>();
  for (const pid of processes()) {
    const stat = processStat(pid);
    if (stat === null || isOver(stat)) continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), pid]);
    if (`\0${environment(pid)}`.includes(pattern)) found.add(pid);
  }
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return found;
}

function processes(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    // The process belongs to another user, or is gone.
    return "";
  }
}
