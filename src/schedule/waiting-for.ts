/** Says which devices a build waits for, and who holds them. */
import { existsSync } from "node:fs";
import { nameOfDevice, type Claim } from "./claims.ts";
import type { Device } from "./devices.ts";
import { isStopped } from "../system/process-stat.ts";
import { sizeText } from "../system/sizes.ts";

/** One sentence for each device: "GPU 0 is held by process 4711 (ann)". */
export function waitingFor(
  devices: readonly Device[],
  claims: readonly Claim[],
  busy: readonly Device[],
  used: (device: Device) => number,
): readonly string[] {
  return devices.flatMap((device) => {
    const own = claims.filter((claim) => claim.device === nameOfDevice(device.uuid));
    const holds = own.filter(({ kind }) => kind === "hold");
    const causes = (holds.length > 0 ? holds : own).map(describe);
    if (busy.includes(device))
      causes.push(`left alone, because others use ${sizeText(used(device))} of its memory`);
    return causes.length === 0 ? [] : [`GPU ${device.id} is ${[...new Set(causes)].join(" and ")}`];
  });
}

function describe({ kind, pid, user }: Claim): string {
  if (kind === "wait") return `next for process ${pid} (${user})`;
  if (isStopped(pid)) return `held by process ${pid} (${user}), which is suspended`;
  if (existsSync(`/proc/${pid}`)) return `held by process ${pid} (${user})`;
  return `held by a task that process ${pid} (${user}) left running`;
}
