/**
 * Which GPUs this build may use: those an outer CUDA_VISIBLE_DEVICES names (a batch system's mask is never
 * widened), else those the driver lists, else none.
 */
import { UserError } from "../errors.ts";
import { askDriver, type Answer, type Listed } from "./nvidia-smi.ts";
import type { PretendedDevices } from "./slots-option.ts";

export interface Device {
  /** As CUDA_VISIBLE_DEVICES takes it: an index in PCI bus order, a GPU UUID or a MIG UUID. */
  readonly id: string;
  /** The same for every process of the machine; the id where nobody says more. */
  readonly uuid: string;
  /** Bytes; null when nobody said. */
  readonly memory: number | null;
  /** "NVIDIA H100 80GB HBM3"; null when nobody said. */
  readonly type: string | null;
  /** A task with several devices gets them from one group. */
  readonly group: string;
}

/** What a task holds of a device that it asked a share of: all of it (null), where its memory is not known. */
export function partOf({ memory }: Device, share: number | null): number | null {
  return memory === null ? null : share;
}

/** By the mask or by --slots: what the user knows, and need not be told. */
export const NONE_ALLOWED = "none is allowed";

export interface Found {
  readonly devices: readonly Device[];
  /** Why there are none, if there should be some. */
  readonly trouble: string | null;
}

export interface DeviceRequest {
  readonly env: { readonly [name: string]: string | undefined };
  /** `--slots gpu=N`: that many devices, the first of the mask if there is one. */
  readonly pretended?: PretendedDevices | null;
  /** Indices or UUIDs of devices that belong together; without any, those of one type do. */
  readonly groups?: readonly (readonly string[])[];
}

/** @throws UserError when more are pretended than an outer mask allows. */
export async function discoverDevices(
  { env, pretended = null, groups = [] }: DeviceRequest,
  ask: () => Promise<Answer> = askDriver,
): Promise<Found> {
  const mask = readMask(env["CUDA_VISIBLE_DEVICES"]);
  if (mask !== null && pretended !== null && pretended.count > mask.length) {
    throw new UserError(
      `--slots gpu=${pretended.count}: CUDA_VISIBLE_DEVICES allows ${mask.length}, and lq does not go beyond it`,
    );
  }
  if (mask?.length === 0 || pretended?.count === 0) return { devices: [], trouble: NONE_ALLOWED };
  if (mask === null && pretended === null && env["SLURM_JOB_ID"] !== undefined)
    return { devices: [], trouble: "this Slurm job was given none: CUDA_VISIBLE_DEVICES is not set" };
  const { devices: listed, trouble } = await ask();
  const ids = mask ?? (pretended === null ? listed.map(idOf) : counted(pretended.count));
  const devices = ids.slice(0, pretended?.count).map((id) => describe(id, listed, pretended, groups));
  return { devices, trouble: devices.length === 0 ? trouble : null };
}

/** The ids of a mask; as in CUDA, an entry that is no device ends it. Null: there is no mask. */
function readMask(value: string | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const ids = value.split(",").map((id) => id.trim());
  const end = ids.findIndex((id) => !/^(\d+|GPU-.+|MIG-.+)$/.test(id));
  return [...new Set(end === -1 ? ids : ids.slice(0, end))];
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
  const known = listed.find(
    (device) => idOf(device) === id || (/^(GPU|MIG)-/.test(id) && device.uuid.startsWith(id)),
  );
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
