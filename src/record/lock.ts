/**
 * The project's build lock: a file that names its holder, who is dead when its process is.
 *
 * `cache/lock` appears by a link, complete or not at all. A dead holder's lock is not removed (two waiters
 * could each remove one, the second of them the first's fresh lock) but succeeded: whoever manages to create
 * `cache/lock.after-ID`, ID being the dead holder's, is the next holder, and renames that file over the lock.
 * IDs are never used twice, so one who comes late to a succession finds that the lock is no longer ID's. A
 * successor who dies midway is itself succeeded in the same way.
 *
 * Rejected: flock (Node has none); a heartbeat (a holder that was stopped for a while would lose its lock, and
 * a dead one would hold it for as long); a socket (not seen across containers that share the folder).
 */
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import * as z from "zod/mini";
import { UserError } from "../errors.ts";
import { LOCK } from "./layout.ts";

const Holder = z.object({
  id: z.uuid(),
  pid: z.int(),
  /** Tells a process from a later one with its number; null where the system does not say. */
  started: z.nullable(z.string()),
  /** The machine (and process namespace) in which the pid means something. */
  place: z.string(),
});
type Holder = z.infer<typeof Holder>;

export interface Lock {
  release(): void;
}

const POLL_MS = 50;

/**
 * Takes the lock, waiting as long as another build holds it.
 * @param waiting called once for each holder waited for, with what to call it
 * @throws the signal's reason when it aborts
 */
export async function acquireLock(
  root: string,
  waiting: (holder: string) => void,
  signal?: AbortSignal,
): Promise<Lock> {
  const ticket = new Ticket(root);
  try {
    let told: string | undefined;
    for (;;) {
      signal?.throwIfAborted();
      const taken = ticket.take();
      if ("release" in taken) return taken;
      if (taken.id !== told) waiting(nameOf(taken));
      told = taken.id;
      await setTimeout(POLL_MS, undefined, { signal });
    }
  } finally {
    ticket.discard();
  }
}

/** Takes the lock if nobody has it; else null. */
export function acquireFreeLock(root: string): Lock | null {
  const ticket = new Ticket(root);
  try {
    const taken = ticket.take();
    return "release" in taken ? taken : null;
  } finally {
    ticket.discard();
  }
}

/** Whether somebody has the lock. */
export function isLocked(root: string): boolean {
  const holder = read(join(root, LOCK));
  return holder !== undefined && isAlive(holder);
}

/** The file by which this process takes a lock, under a name of its own. */
class Ticket {
  readonly #lock: string;
  readonly #file: string;
  readonly #id = randomUUID();

  constructor(root: string) {
    this.#lock = join(root, LOCK);
    this.#file = `${this.#lock}.${this.#id}`;
    mkdirSync(dirname(this.#lock), { recursive: true });
    const { pid } = process;
    const me: Holder = { id: this.#id, pid, started: startOf(pid), place: placeOfPids() };
    try {
      writeFileSync(this.#file, JSON.stringify(me));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** @returns the lock, or who has it */
  take(): Lock | Holder {
    const holder = tryLock(this.#lock, this.#file);
    return holder ?? { release: () => release(this.#lock, this.#id) };
  }

  discard(): void {
    rmSync(this.#file, { force: true });
  }
}

/** @returns who holds it, if that is not the ticket's owner now */
function tryLock(lock: string, ticket: string): Holder | undefined {
  if (linked(ticket, lock)) return undefined;
  const holder = read(lock);
  // Released just now: the next try will do.
  if (holder === undefined) return tryLock(lock, ticket);
  if (isAlive(holder)) return holder;
  return succeed(lock, ticket, holder, [holder]);
}

/** @param line the dead: the holder, its successor, and so on */
function succeed(lock: string, ticket: string, holder: Holder, line: readonly Holder[]): Holder | undefined {
  const claims = line.map(({ id }) => `${lock}.after-${id}`);
  const claim = claims.at(-1) ?? "";
  if (!linked(ticket, claim)) {
    const successor = read(claim);
    if (successor === undefined) return tryLock(lock, ticket);
    return isAlive(successor) ? successor : succeed(lock, ticket, holder, [...line, successor]);
  }
  // A claim means something only while every one before it in the line is still there.
  const intact = [lock, ...claims.slice(0, -1)].every((file, i) => read(file)?.id === line[i]?.id);
  if (!intact) {
    rmSync(claim, { force: true });
    return tryLock(lock, ticket);
  }
  renameSync(claim, lock);
  for (const each of claims) rmSync(each, { force: true });
  return undefined;
}

function release(lock: string, id: string): void {
  if (read(lock)?.id === id) rmSync(lock, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { data } = Holder.safeParse(parse(text));
  if (data !== undefined) return data;
  throw new UserError({
    message: `${file} is not a lock of lq`,
    hint: "if no build is running, remove it",
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** "process 4711", and what only a person can know of one that cannot be seen from here. */
function nameOf({ pid, place }: Holder): string {
  return place === placeOfPids()
    ? `process ${pid}`
    : `process ${pid} on another machine or in another container; if that is over, remove ${LOCK}`;
}

function isAlive({ pid, started, place }: Holder): boolean {
  // Of another machine's processes nothing is known here: its lock stands.
  if (place !== placeOfPids()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return startOf(pid) === started;
}

/** When a process began, in the system's own terms; null where /proc does not say, or it is over. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the name, which may hold anything, in parentheses: state is field 3, start time field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function placeOfPids(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
