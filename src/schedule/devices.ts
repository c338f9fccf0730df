/**
 * Which GPUs this build may use: those an outer CUDA_VISIBLE_DEVICES names (a batch system's mask is never
 * widened), else those the driver lists, else none.
 */
import { UserError } from "../model/errors.ts";
import { named, readMask, upToInvalid } from "./mask.ts";
import { askDriver, NO_DRIVER, type Answer, type Listed } from "./nvidia-smi.ts";
import type { PretendedDevices } from "./slots-option.ts";

export interface Device {
  /** As CUDA_VISIBLE_DEVICES takes it: an index in PCI bus order, a GPU UUID or a MIG UUID. */
  readonly id: string;
  /** The same for every process of the machine; the id if nothing more is known. */
  readonly uuid: string;
  /** Bytes; null when nobody said. */
  readonly memory: number | null;
  /** "NVIDIA H100 80GB HBM3"; null when nobody said. */
  readonly type: string | null;
  /** A task with several devices gets them from one group. */
  readonly group: string;
}

/** The part of a device that a task holds when it asks for a share: all of it (null) if the memory is not known. */
export function partOf({ memory }: Device, share: number | null): number | null {
  return memory === null ? null : share;
}

export interface Found {
  readonly devices: readonly Device[];
  /** Why there are none. */
  readonly trouble: string | null;
}

const NONE_IN_MASK = "CUDA_VISIBLE_DEVICES allows none";
const NONE_PRETENDED = "--slots says that there is none";

/** Reasons for having no devices that a user already knows, so lq need not report them. */
export const NO_SURPRISE: ReadonlySet<string | null> = new Set([
  null,
  NONE_IN_MASK,
  NONE_PRETENDED,
  NO_DRIVER,
]);

export interface DeviceRequest {
  readonly env: { readonly [name: string]: string | undefined };
  /** `--slots gpu=N`: that many devices, the first of the mask if there is one. */
  readonly pretended?: PretendedDevices | null;
  /** Indices or UUIDs of devices that belong together; without any, those of one type do. */
  readonly groups?: readonly (readonly string[])[];
  /** Nothing is going to run: pretended devices may go beyond the mask. */
  readonly played?: boolean;
}

/** @throws UserError when more are pretended than an outer mask allows. */
export async function discoverDevices(
  { env, pretended = null, groups = [], played = false }: DeviceRequest,
  ask: () => Promise<Answer> = askDriver,
): Promise<Found> {
  const none = (trouble: string): Found => ({ devices: [], trouble });
  const isFree = played && pretended !== null;
  const mask = isFree ? null : readMask(env["CUDA_VISIBLE_DEVICES"]);
  if (mask?.length === 0 && !pretended?.count) return none(NONE_IN_MASK);
  if (pretended?.count === 0) return none(NONE_PRETENDED);
  if (mask === null && !isFree && env["SLURM_JOB_ID"] !== undefined) {
    const why = "this Slurm job was given none: CUDA_VISIBLE_DEVICES is not set";
    if (pretended === null) return none(why);
    throw new UserError(`--slots gpu=${pretended.count}: ${why}, and lq takes none by itself`);
  }
  const { devices: listed, trouble } = await ask();
  const allowed = mask && upToInvalid(mask, listed);
  if (allowed !== null && pretended !== null && pretended.count > allowed.length) {
    throw new UserError(
      `--slots gpu=${pretended.count}: CUDA_VISIBLE_DEVICES allows ${allowed.length}, and lq does not go beyond it`,
    );
  }
  if (allowed?.length === 0) return none(`CUDA_VISIBLE_DEVICES names ${mask?.[0]}, which is not there`);
  const ids = allowed ?? (pretended === null ? listed.map(idOf) : counted(pretended.count));
  const devices = ids.slice(0, pretended?.count).map((id) => describe(id, listed, pretended, groups));
  return { devices, trouble: devices.length === 0 ? trouble : null };
}

function counted(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

/** A GPU by its index, as people do; a MIG instance has none of its own. */
function idOf({ index, uuid, mig }: Listed): string {
  return mig ? uuid : index;
}

function describe(
  id: string,
  listed: readonly Listed[],
  pretended: PretendedDevices | null,
  groups: readonly (readonly string[])[],
): Device {
  const known = named(id, listed);
  // More devices are pretended than there are: they are like the first.
  const like = known ?? (pretended === null ? undefined : listed[0]);
  const uuid = known?.uuid ?? id;
  const type = pretended?.type ?? like?.type ?? null;
  const memory = pretended?.memory ?? like?.memory ?? null;
  const declared = groups.findIndex((members) => members.includes(id) || members.includes(uuid));
  // CUDA shows a process one MIG instance at most.
  const isAlone = known?.mig ?? id.startsWith("MIG-");
  const group = isAlone ? uuid : declared === -1 ? (type ?? "") : `group ${declared}`;
  return { id, uuid, memory, type, group };
}
