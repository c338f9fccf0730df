/** Reads the value of `--slots`: `gpu=2,cpu=8,memory=16GiB,licence=1`, or with a kind of device `gpu=2:h100:80GiB`. */
import { UserError } from "../model/errors.ts";
import { bytesOf, sizeMeant } from "../system/sizes.ts";

export interface PretendedSlots {
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: number | null;
  readonly gpu: PretendedDevices | null;
  readonly pools: ReadonlyMap<string, number>;
}

export interface PretendedDevices {
  readonly count: number;
  readonly type: string | null;
  /** Bytes of each device. */
  readonly memory: number | null;
}

/** @throws UserError for an entry that is not `name=amount`, and for memory without a unit */
export function parseSlots(text: string): PretendedSlots {
  let cpu: number | null = null;
  let memory: number | null = null;
  let gpu: PretendedDevices | null = null;
  const pools = new Map<string, number>();
  for (const entry of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name, value = ""] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? [];
    const amount =
      name === "memory" ? parseBytes(value) : name === "gpu" ? parseDevices(value) : parseCount(value);
    if (name === undefined || amount === null) {
      throw new UserError({
        message: `--slots: cannot read "${entry.trim()}"`,
        hint: "Write name=amount, as in --slots gpu=2,cpu=8,memory=16GiB,licence=1 or gpu=2:h100:80GiB.",
      });
    }
    if (typeof amount !== "number") gpu = amount;
    else if (name === "cpu") cpu = amount;
    else if (name === "memory") memory = amount;
    else pools.set(name, amount);
  }
  return { cpu, memory, gpu, pools };
}

/** @throws UserError for a number without a unit, which the user surely forgot */
function parseBytes(text: string): number | null {
  const meant = sizeMeant(text);
  if (meant === null) return bytesOf(text);
  throw new UserError({
    message: `--slots: a memory of ${text} would be ${text} bytes`,
    hint: `write ${meant}`,
  });
}

function parseCount(text: string): number | null {
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** `2`, `2:h100`, `2:h100:80GiB`, `2:80GiB`. */
function parseDevices(text: string): PretendedDevices | null {
  const [first = "", ...rest] = text.split(":");
  const count = parseCount(first);
  const memory = rest.length > 0 ? parseBytes(rest.at(-1) ?? "") : null;
  const [type = null, ...more] = memory === null ? rest : rest.slice(0, -1);
  return count === null || more.length > 0 || type === "" ? null : { count, type, memory };
}
