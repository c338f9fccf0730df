/**
 * A child of lq with all that it starts, directly or not, so that ending it leaves nothing behind.
 *
 * Children lead process groups of their own. What leaves its group (setsid, a daemon) is still known by a mark
 * in its environment, which processes inherit; on Linux /proc shows it. Only what leaves the group and clears
 * its environment, with its parent already gone, escapes; outside Linux, whatever leaves the group.
 *
 * Rejected: cgroups and pid namespaces (need rights that a user may lack); a subreaper and a parent-death signal
 * (calls that Node does not have; the signal reaches direct children only).
 */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { isOver, processStat } from "./process-stat.ts";
import { afterAwake } from "./awake.ts";
import { startWatchdog } from "./watchdog.ts";

/** Environment variable of every process that a task starts: "RUN/NUMBER". */
export const MARK = "LQ_TASK";

/** This lq process; its staging folder bears the name, by which the next one ends what a killed one left. */
export const RUN = randomBytes(8).toString("hex");

const groups = new Set<number>();
let marks = 0;

/** A value of `MARK` for a child that is about to be started. From then on nothing outlives this process. */
export function newMark(): string {
  if (marks === 0) {
    startWatchdog(MARK, RUN);
    process.on("exit", () => groups.forEach((group) => signalGroup(group, "SIGKILL")));
  }
  return `${RUN}/${marks++}`;
}

/** The process that the others descend from, and whose group they are in unless they leave it. */
export interface Leader {
  readonly pid?: number | undefined;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  /** True when somebody else has ended, after the leader, what was left of its group. */
  readonly groupHasEnded?: boolean;
  once(event: "exit", listener: (code: number | null) => void): unknown;
}

export class ProcessTree {
  readonly #child: Leader;
  readonly #mark: string;
  #ending = false;

  /** @param child just started, `detached`, with the mark in its environment */
  constructor(child: Leader, mark: string) {
    this.#child = child;
    this.#mark = mark;
    const { pid } = child;
    if (pid === undefined) return;
    groups.add(pid);
    child.once("exit", (code) => {
      groups.delete(pid);
      // What the leader left behind in its group when it ended goes with it.
      if (child.groupHasEnded !== true) signalGroup(pid, "SIGKILL");
      if (this.#ending || code !== 0) killMarked(mark);
    });
  }

  /** Asks it to end, and ends all of it after `grace` milliseconds. The child's "exit" says when it is over. */
  end(grace: number): void {
    this.#ending = true;
    this.dismiss(grace);
  }

  /** The same for a child that is idle: that it left anything behind is not to be expected. */
  dismiss(grace: number): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    signalGroup(pid, "SIGTERM");
    const spare = afterAwake(grace, () => this.kill());
    this.#child.once("exit", spare);
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

/** Ends whatever an lq process that is gone had started. */
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

/** A process may start another while it is being looked for. */
const MOST_ROUNDS = 10;

/** @param mark a whole one, or the first part up to its "/" */
function killMarked(mark: string): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = findMarked(mark);
    if (found.size === 0) return;
    signalAll(found, "SIGKILL");
  }
}

/** Processes that bear the mark, and all that descend from them. */
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
    // Another user's, or over.
    return "";
  }
}
