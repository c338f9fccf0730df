/** What the machine gives to a build: cores, memory, devices, and leases of devices that other builds may want. */
import type { Config } from "../load/config.ts";
import type { PendingExpansion, Task } from "../model/model.ts";
import { discoverCapacity, type Capacity } from "../schedule/capacity.ts";
import { canClaim } from "../schedule/claims.ts";
import { NO_SURPRISE } from "../schedule/devices.ts";
import { Leases } from "../schedule/leases.ts";
import { DriverUsage } from "../schedule/usage.ts";
import { waitingFor } from "../schedule/waiting-for.ts";
import type { Outcomes } from "./outcomes.ts";
import type { BuildRequest } from "./request.ts";

/** What the machine has for these tasks. It looks for GPUs only if one of them asks for one. */
export function capacityFor(
  { jobs, slots }: BuildRequest,
  toRun: readonly (Task | PendingExpansion)[],
  { groups }: Config,
): Promise<Capacity> {
  const rules = new Set(toRun.map(({ rule }) => rule));
  const wantsDevices = [...rules].some((rule) => rule.slots.gpu !== null);
  return discoverCapacity({ jobs, slots, groups, wantsDevices, env: process.env });
}

/** Null: there is no device to share with other builds, or no way to see other builds. */
export async function openLeases(
  { devices, trouble }: Capacity,
  { busy }: Config,
  outcomes: Outcomes,
): Promise<Leases | null> {
  if (!NO_SURPRISE.has(trouble)) outcomes.notice(`no GPU is used: ${trouble}`, "warning");
  if (devices.length === 0) return null;
  if (!canClaim()) {
    outcomes.notice("other builds on this machine cannot be seen here: two may use one GPU", "warning");
    return null;
  }
  if (busy === null) return new Leases();
  const usage = new DriverUsage(busy);
  await usage.refresh();
  const inUse = devices.filter((device) => usage.state(device) === "busy");
  for (const text of waitingFor(inUse, [], inUse, (device) => usage.used(device))) outcomes.notice(text);
  return new Leases(usage);
}
