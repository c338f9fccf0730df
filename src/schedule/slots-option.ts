/** The value of `--slots`: `gpu=2,cpu=8,memory=16GiB,licence=1`. */
import { UserError } from "../errors.ts";

export interface PretendedSlots {
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: number | null;
  readonly gpu: number | null;
  readonly pools: ReadonlyMap<string, number>;
}

const UNITS: { readonly [unit: string]: number } = {
  "": 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** @throws UserError for an entry that is not `name=amount`. */
export function parseSlots(text: string): PretendedSlots {
  const amounts = new Map<string, number>();
  for (const entry of text.split(",").filter((part) => part.trim() !== "")) {
    const match = /^\s*([\w-]+)\s*=\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B)?\s*$/.exec(entry);
    const name = match?.[1];
    const unit = UNITS[match?.[3] ?? ""];
    const amount = Number(match?.[2]) * (unit ?? NaN);
    const whole = name === "memory" || (Number.isInteger(amount) && match?.[3] === undefined);
    if (name === undefined || Number.isNaN(amount) || !whole) {
      throw new UserError({
        message: `--slots: cannot read "${entry.trim()}"`,
        hint: "Write name=amount, as in --slots gpu=2,cpu=8,memory=16GiB,licence=1.",
      });
    }
    amounts.set(name, amount);
  }
  const take = (name: string): number | null => {
    const amount = amounts.get(name) ?? null;
    amounts.delete(name);
    return amount;
  };
  return { cpu: take("cpu"), memory: take("memory"), gpu: take("gpu"), pools: amounts };
}

export function formatBytes(bytes: number): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const size = UNITS[unit] ?? 1;
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
  }
  return `${bytes} B`;
}
