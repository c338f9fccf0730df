/**
 * Finds the GPUs that this build may use. If CUDA_VISIBLE_DEVICES is set, as by a batch system, these are the GPUs that
 * it names and never more. Else they are the GPUs that the driver lists.
 */
import { UserError } from "../model/errors.ts";
import { named, readMask, upToInvalid } from "./mask.ts";
import { askDriver, NO_DRIVER, type Answer, type Listed } from "./nvidia-smi.ts";
import type { PretendedDevices } from "./slots-option.ts";

export interface Device {
  /** A form that CUDA_VISIBLE_DEVICES accepts: an index in PCI bus order, a GPU UUID or a MIG UUID. */
  readonly id: string;
  /** The same for every process of the machine; equal to the id if lq does not know the UUID. */
  readonly uuid: string;
  /** Bytes; null if lq does not know. */
  readonly memory: number | null;
  /** "NVIDIA H100 80GB HBM3"; null if lq does not know. */
  readonly type: string | null;
  /** A task with several devices gets them from one group. */
  readonly group: string;
}

/** The bytes of a device that a task holds if it asks for a share; null, the whole device, if its memory is unknown. */
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
  /** `--slots gpu=N`: use N devices. If there is a mask, take its first N. */
  readonly pretended?: PretendedDevices | null;
  /** Indices or UUIDs of devices that belong together. Without groups, devices of one type belong together. */
  readonly groups?: readonly (readonly string[])[];
  /** Whether this is for a simulation: then pretended devices may go beyond the mask. */
  readonly played?: boolean;
}

/** @throws UserError if `--slots` asks for more devices than CUDA_VISIBLE_DEVICES allows */
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

/** Names a GPU by its index, as people do. A MIG instance has no index of its own. */
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
  // `--slots` asks for more devices than there are: assume that the others are like the first.
  const like = known ?? (pretended === null ? undefined : listed[0]);
  const uuid = known?.uuid ?? id;
  const type = pretended?.type ?? like?.type ?? null;
  const memory = pretended?.memory ?? like?.memory ?? null;
  const declared = groups.findIndex((members) => members.includes(id) || members.includes(uuid));
  // CUDA shows a process at most one MIG instance.
  const isAlone = known?.mig ?? id.startsWith("MIG-");
  const group = isAlone ? uuid : declared === -1 ? (type ?? "") : `group ${declared}`;
  return { id, uuid, memory, type, group };
}
