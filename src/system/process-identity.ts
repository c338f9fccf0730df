/** Identifies a process, so that a later reader of its number can find out whether it still runs. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import * as z from "zod/mini";
import { errorCode } from "../model/errors.ts";
import { isOver, processStat } from "./process-stat.ts";

export const ProcessIdentity = z.object({
  pid: z.int(),
  /** Distinguishes the process from a later one with the same pid; null if the system does not say. */
  started: z.nullable(z.string()),
  /** The machine (and process namespace) in which the pid means something. */
  place: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return { pid, started: startOf(pid), place: placeOfPids() };
}

/** Whether this process can see the other one. */
export function isHere({ place }: ProcessIdentity): boolean {
  return place === placeOfPids();
}

/** Also true for a process on another machine, about which lq can know nothing. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  const { pid, started } = identity;
  if (!isHere(identity)) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
  }
  return startOf(pid) === started;
}

/** The start time of a process; null if the system does not say, or if the process has ended. */
function startOf(pid: number): string | null {
  const stat = processStat(pid);
  return stat === null || isOver(stat) ? null : stat.started;
}

function placeOfPids(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
