/**
 * How the lq processes of a machine tell each other which devices they hold or wait for.
 *
 * A claim is a listening socket in Linux's abstract namespace whose name says everything:
 *
 *     lq1/DEVICE/hold/BYTES/PID/NONCE/USER/…     a part of a device, or (BYTES is "all") the whole of it
 *     lq1/DEVICE/wait/SINCE/PID/NONCE/USER/…     would like to hold some of it, since that time (ms, monotonic clock)
 *
 * The kernel lists all names in /proc/net/unix, for every user, and drops a name with the last process that has
 * the socket open. So a claim ends when its holder and all children that inherited it have ended, in whatever way. To
 * wait for a claim is to connect to it: the kernel closes the connection when the claim goes. There
 * is nothing to clean up. Claims are seen within a network namespace; containers that do not share one must be
 * given different devices.
 *
 * Names are padded to the longest there is, so that all versions of Node bind the same bytes.
 * Raise the number in PREFIX when the format changes.
 *
 * Rejected: lock files (a dead holder's needs a judge, and its child may live on); flock (Node has none, a helper
 * process would have to outlive neither too early nor too late); a server that keeps the accounts (who starts
 * it, and who replaces it?); one socket for each GiB of a device (hundreds of descriptors).
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { UserError } from "../model/errors.ts";
import { sha256 } from "../system/digest.ts";

const PREFIX = "lq1/";
const NAME_BYTES = 107;
const LIST = "/proc/net/unix";

interface Said {
  readonly device: string;
  readonly pid: number;
  readonly user: string;
}

/** @param memory bytes; null: the whole device */
export type Hold = Said & { readonly kind: "hold"; readonly memory: number | null };
export type Wait = Said & { readonly kind: "wait"; readonly since: number };

/** A claim that is up somewhere on the machine. */
export type Claim = { readonly name: string } & (Hold | Wait);

/** A claim of this process. */
export interface OwnClaim {
  readonly name: string;
  /** The descriptor of the socket: the claim outlives this process in children that inherit it. */
  readonly descriptor: number;
  withdraw(): void;
}

/** Whether this system has claims at all. */
export function canClaim(): boolean {
  return process.platform === "linux" && existsSync(LIST);
}

type Content =
  | { readonly device: string; readonly kind: "hold"; readonly memory: number | null }
  | { readonly device: string; readonly kind: "wait"; readonly since: number };

/** Puts a claim up. It can be seen when this returns. */
export function claim(content: Content): OwnClaim {
  const name = nameOf(content);
  const guests = new Set<Socket>();
  const server = createServer((guest) => {
    guests.add(guest.unref());
    guest.on("error", () => undefined).on("close", () => guests.delete(guest));
  });
  server.on("error", () => undefined);
  server.listen({ path: `\0${name}` }).unref();
  const entry = readEntries().find((each) => each.name === name);
  if (entry === undefined)
    throw new UserError({
      message: "cannot lease a GPU: the system gives no socket for it",
      hint: "raise the limit of open files, as with `ulimit -n 4096`",
    });
  return {
    name,
    descriptor: descriptorOf(entry.inode),
    withdraw() {
      server.close();
      for (const guest of guests) guest.destroy();
    },
  };
}

/** Every claim that is up on the machine. */
export function listClaims(): readonly Claim[] {
  return readEntries().flatMap(({ name }) => parse(name) ?? []);
}

/**
 * Calls back for each claim that goes or has gone. `seen` says whether the claim was still up when the waiting began.
 * @returns a function that ends the waiting
 */
export function whenGone(
  claims: Iterable<{ readonly name: string }>,
  gone: (seen: boolean) => void,
): () => void {
  const sockets = [...claims].map(({ name }) => {
    let seen = false;
    return connect({ path: `\0${name}` })
      .on("connect", () => (seen = true))
      .on("error", () => undefined)
      .on("close", () => gone(seen));
  });
  return () => {
    for (const socket of sockets) socket.removeAllListeners("close").destroy();
  };
}

function nameOf(content: Content): string {
  const amount = content.kind === "hold" ? (content.memory ?? "all") : content.since;
  const parts = [nameOfDevice(content.device), content.kind, amount, process.pid, nonce(), userName()];
  return `${PREFIX}${parts.join("/")}/`.padEnd(NAME_BYTES, ".");
}

/** The name of a device in claims: its UUID, or a short plain text for it. */
export function nameOfDevice(uuid: string): string {
  return /^[\w-]{1,44}$/.test(uuid) ? uuid : sha256(uuid).slice(0, 44);
}

function nonce(): string {
  return randomBytes(6).toString("hex");
}

function userName(): string {
  try {
    return userInfo()
      .username.replace(/[^\w.-]/g, "_")
      .slice(0, 16);
  } catch {
    // A container's user may have no name.
    return `uid-${process.getuid?.() ?? ""}`;
  }
}

function parse(name: string): Claim | null {
  const [device = "", kind, amount = "", pid, , user = ""] = name.slice(PREFIX.length).split("/");
  const said = { name, device, pid: Number(pid), user };
  if (kind === "wait") return { ...said, kind, since: Number(amount) };
  // An unreadable amount counts as the whole device.
  return kind === "hold" ? { ...said, kind, memory: /^\d+$/.test(amount) ? Number(amount) : null } : null;
}

interface Entry {
  readonly name: string;
  readonly inode: string;
}

/**
 * The kernel gives the list page by page, and a socket that closes between two pages may hide another. So lq reads until
 * two readings agree.
 */
function readEntries(): readonly Entry[] {
  for (let before = readOnce(); ;) {
    const now = readOnce();
    if (now.length === before.length && now.every(({ name }, i) => name === before[i]?.name)) return now;
    before = now;
  }
}

function readOnce(): readonly Entry[] {
  const entries: Entry[] = [];
  for (const line of readFileSync(LIST, "latin1").split("\n")) {
    const start = line.indexOf(`@${PREFIX}`);
    // Connections to a claim have its name as well; flag 0x10000 marks the socket that listens.
    const [, , , flags, , , inode] = line.trim().split(/\s+/, 7);
    if (start === -1 || flags !== "00010000" || inode === undefined) continue;
    entries.push({ name: line.slice(start + 1, start + 1 + NAME_BYTES), inode });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function descriptorOf(inode: string): number {
  const own = "/proc/self/fd";
  for (const descriptor of readdirSync(own)) {
    try {
      if (readlinkSync(`${own}/${descriptor}`) === `socket:[${inode}]`) return Number(descriptor);
    } catch {
      // The descriptor that listed the folder is closed by now.
    }
  }
  throw new Error(`no descriptor of socket ${inode}`);
}
