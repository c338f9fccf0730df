/**
 * Lets the lq processes of a machine tell each other which devices they hold or wait for.
 *
 * A claim is a listening socket in Linux's abstract namespace. Its name says everything:
 *
 *     lq1/DEVICE/hold/BYTES/PID/NONCE/USER/…     holds a part of a device, or the whole device if BYTES is "all"
 *     lq1/DEVICE/wait/SINCE/PID/NONCE/USER/…     has waited for the device since that time (ms, monotonic clock)
 *
 * The kernel lists all names in /proc/net/unix, for every user. It drops a name when the last process that has the
 * socket open ends. So a claim ends when its holder and all children that inherited it have ended, even after a crash.
 * To wait for the end of a claim, lq connects to it: the kernel closes the connection when the claim ends. There is
 * nothing to clean up. Claims are visible only in their network namespace. Give different devices to containers that do
 * not share one.
 *
 * lq pads names to the longest name that Linux allows, so that all versions of Node bind the same bytes.
 * Raise the number in PREFIX when the format changes.
 *
 * We rejected these ways:
 * - lock files: somebody must decide whether the holder is dead, and its child may still run;
 * - flock: Node cannot call it, and a helper process would have to end at exactly the right time;
 * - a server that keeps the accounts: somebody must start it and replace it;
 * - one socket for each GiB of a device: that takes hundreds of descriptors.
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

/** A claim of any process of the machine. */
export type Claim = { readonly name: string } & (Hold | Wait);

/** A claim of this process. */
export interface OwnClaim {
  readonly name: string;
  /** The descriptor of the socket. A child that inherits it keeps the claim after this process has ended. */
  readonly descriptor: number;
  withdraw(): void;
}

/** Whether claims work on this system. */
export function canClaim(): boolean {
  return process.platform === "linux" && existsSync(LIST);
}

type Content =
  | { readonly device: string; readonly kind: "hold"; readonly memory: number | null }
  | { readonly device: string; readonly kind: "wait"; readonly since: number };

/** Publishes a claim. Other processes see it when this returns. */
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

/** All claims of the machine. */
export function listClaims(): readonly Claim[] {
  return readEntries().flatMap(({ name }) => parse(name) ?? []);
}

/**
 * Calls back for each claim that ends or has ended. `seen` says whether the claim still existed when the waiting began.
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
 * The kernel gives the list page by page. A socket that closes between two pages may hide another. So lq reads the list
 * again until two readings agree.
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
