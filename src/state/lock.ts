/**
 * The project's build lock: a file that names the process that holds it. The lock is free when that process is dead.
 *
 * A process makes `cache/lock` with a link, so the file is complete or not there. Nobody removes a dead holder's lock,
 * because the second of two waiters could remove the new lock of the first. Instead, the process that creates
 * `cache/lock.after-ID`, with the ID of the dead holder, is the next holder. It renames that file over the lock. IDs
 * are never used twice, so a late process sees that the lock no longer has this ID. If the next holder dies too,
 * another process succeeds it in the same way.
 *
 * On a file server, the answer to a successful link or rename may get lost, and then the server refuses the repeated
 * request. So lq reads the file to find out who has made it.
 *
 * We rejected these ways:
 * - flock: Node cannot call it;
 * - a heartbeat: a holder that was stopped for a while would lose its lock, and a dead one would keep it for as long;
 * - a socket: containers that share the folder do not see it.
 */
import { randomUUID } from "node:crypto";
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hostname } from "node:os";
import { setTimeout } from "node:timers/promises";
import * as z from "zod/mini";
import { errorCode, UserError } from "../model/errors.ts";
import { makeFolder } from "../files/make-folder.ts";
import { ifThere, rename } from "../files/network-files.ts";
import { isHere, mayBeAlive, ProcessIdentity, thisProcess } from "../system/process-identity.ts";
import { LOCK } from "../model/layout.ts";

const Holder = z.extend(ProcessIdentity, {
  id: z.uuid(),
  host: z.optional(z.string()),
  /** The job of Slurm in which it runs. */
  job: z.optional(z.string()),
});
type Holder = z.infer<typeof Holder>;

export interface Lock {
  release(): void;
}

const POLL_MS = 50;
/** Milliseconds between two questions about the job of a holder. */
const JOB_POLL_MS = 5000;

/**
 * Takes the lock. Waits while another build holds it.
 * @param waiting called once for each holder that this process waits for, with the holder's name
 * @param isJobOver whether a batch system says that a job is over; asked about a holder on another machine
 * @throws the signal's reason when it aborts
 */
export async function acquireLock(
  root: string,
  waiting: (holder: string) => void,
  signal?: AbortSignal,
  isJobOver: (job: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<Lock> {
  const ticket = new Ticket(root);
  let nextQuestion = 0;
  try {
    let told: string | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const taken = ticket.take();
      if (taken !== null && "release" in taken) return taken;
      if (taken !== null && taken.id !== told) waiting(nameOf(taken));
      told = taken?.id ?? told;
      if (taken?.job !== undefined && !isHere(taken) && performance.now() >= nextQuestion) {
        nextQuestion = performance.now() + JOB_POLL_MS;
        if (await isJobOver(taken.job)) ticket.over.add(taken.id);
      }
      await setTimeout(POLL_MS, undefined, { signal });
    }
  } finally {
    ticket.discard();
  }
}

/** Takes the lock if nobody holds it; null otherwise. */
export function acquireFreeLock(root: string): Lock | null {
  const ticket = new Ticket(root);
  try {
    const taken = ticket.take();
    return taken !== null && "release" in taken ? taken : null;
  } finally {
    ticket.discard();
  }
}

/** Whether a process holds the lock. */
export function isLocked(root: string): boolean {
  const holder = read(join(root, LOCK));
  return holder !== undefined && mayBeAlive(holder);
}

/** Removes the files of processes that were killed while they waited. Only the holder may call this. */
export function clearTickets(root: string): void {
  const folder = dirname(join(root, LOCK));
  for (const name of ifThere(() => readdirSync(folder)) ?? []) {
    if (!name.startsWith(`${basename(LOCK)}.`)) continue;
    const file = join(folder, name);
    const owner = parse(ifThere(() => readFileSync(file, "utf8")));
    if (owner !== undefined && name.endsWith(owner.id) && !mayBeAlive(owner)) rmSync(file, { force: true });
  }
}

/** A file with a unique name, which this process links to take the lock. */
class Ticket {
  readonly #lock: string;
  readonly #file: string;
  readonly #id = randomUUID();
  /** Holders whose jobs are over. */
  readonly over = new Set<string>();

  constructor(root: string) {
    this.#lock = join(root, LOCK);
    this.#file = `${this.#lock}.${this.#id}`;
    makeFolder(dirname(this.#lock));
    const { SLURM_JOB_ID: job } = process.env;
    const me: Holder = { id: this.#id, ...thisProcess(), host: hostname(), ...(job && { job }) };
    try {
      writeFileSync(this.#file, JSON.stringify(me));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** @returns the lock, or its holder; null while the lock passes to another process */
  take(): Lock | Holder | null {
    const holder = this.#obtain();
    return holder === "me" ? { release: () => release(this.#lock, this.#id) } : holder;
  }

  discard(): void {
    rmSync(this.#file, { force: true });
  }

  #obtain(): Holder | "me" | null {
    const holder = this.#claim(this.#lock);
    return holder === "me" || holder === null || this.#mayBeAlive(holder)
      ? holder
      : this.#succeed(holder, [holder]);
  }

  #mayBeAlive(holder: Holder): boolean {
    return mayBeAlive(holder) && !this.over.has(holder.id);
  }

  /** @param line the dead processes: the holder, its successor, and so on */
  #succeed(holder: Holder, line: readonly Holder[]): Holder | "me" | null {
    const claims = line.map(({ id }) => `${this.#lock}.after-${id}`);
    const claim = claims.at(-1) ?? "";
    const successor = this.#claim(claim);
    if (successor === null) return null;
    if (successor !== "me")
      return this.#mayBeAlive(successor) ? successor : this.#succeed(holder, [...line, successor]);
    // A claim is valid only while every earlier one in the line is still there.
    const intact = [this.#lock, ...claims.slice(0, -1)].every((file, i) => read(file)?.id === line[i]?.id);
    if (!intact) {
      rmSync(claim, { force: true });
      return null;
    }
    rename(claim, this.#lock);
    for (const each of claims) rmSync(each, { force: true });
    return "me";
  }

  /** Claims a name for this process. @returns its present owner; null if the owner has just given it up */
  #claim(name: string): Holder | "me" | null {
    try {
      linkSync(this.#file, name);
      return "me";
    } catch (error) {
      const code = errorCode(error);
      if (code !== "EEXIST") throw unlinkable(error, this.#lock);
    }
    const owner = read(name) ?? null;
    return owner?.id === this.#id ? "me" : owner;
  }
}

function release(lock: string, id: string): void {
  if (read(lock)?.id === id) rmSync(lock, { force: true });
}

/** The holder that a file names; undefined if there is no such file. */
function read(file: string): Holder | undefined {
  const text = ifThere(() => readFileSync(file, "utf8"));
  if (text === null) return undefined;
  const holder = parse(text);
  if (holder !== undefined) return holder;
  throw new UserError({
    message: `${file} is not a lock of lq`,
    hint: "if no build is running, remove it",
  });
}

function parse(text: string | null): Holder | undefined {
  try {
    return Holder.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}

/** Turns the error of a file system without hard links into a UserError. */
function unlinkable(error: unknown, lock: string): unknown {
  const code = errorCode(error) ?? "";
  if (!["EPERM", "EMLINK", "EXDEV", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"].includes(code)) return error;
  return new UserError({
    message: `${lock} cannot be made: the file system of the project has no hard links (${code})`,
    hint: "keep the project on another file system; a shared cache may stay where it is",
  });
}

/** "process 4711". For a process on another machine, it also says what the user has to check. */
function nameOf(holder: Holder): string {
  const { pid, host, job } = holder;
  if (isHere(holder)) return `process ${pid}`;
  const where = [...(host === undefined ? [] : [host]), ...(job === undefined ? [] : [`job ${job}`])];
  const known = where.length > 0 ? ` (${where.join(", ")})` : "";
  return `process ${pid} on another machine or in another container${known}; if that is over, remove ${LOCK}`;
}
