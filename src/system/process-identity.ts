/** Tells a process from any other, so that who reads its number later knows whether it is still there. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import * as z from "zod/mini";
import { errorCode } from "../model/errors.ts";
import { isOver, processStat } from "./process-stat.ts";

export const ProcessIdentity = z.object({
  pid: z.int(),
  /** Tells a process from a later one with its number; null where the system does not say. */
  started: z.nullable(z.string()),
  /** The machine (and process namespace) in which the pid means something. */
  place: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return { pid, started: startOf(pid), place: placeOfPids() };
}

/** Whether the process can be looked at from here. */
export function isHere({ place }: ProcessIdentity): boolean {
  return place === placeOfPids();
}

/** True also for a process of another machine, where nothing can be known. */
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

/** Null where the system does not say, or the process is over. */
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
