/** What `scontrol` says of the machine: partitions, and the largest array. Asked once. */
import { UserError } from "../model/errors.ts";
import { slurm } from "./command.ts";

export interface Partition {
  readonly name: string;
  readonly isDefault: boolean;
  /** Seconds; null: no limit. */
  readonly longest: number | null;
  readonly cpus: number;
}

export interface Facts {
  readonly partitions: readonly Partition[];
  /** The largest number of elements of an array. */
  readonly mostElements: number;
}

/** @throws UserError if Slurm does not answer */
export async function readFacts(): Promise<Facts> {
  const [partitions, config] = await Promise.all([
    slurm("scontrol", ["show", "partition", "--oneliner"]),
    slurm("scontrol", ["show", "config"]),
  ]);
  const failed = [partitions, config].find(({ code }) => code !== 0);
  if (failed !== undefined) throw new UserError(`Slurm does not answer: ${failed.stderr}`);
  const most = /^MaxArraySize\s*=\s*(\d+)/m.exec(config.stdout)?.[1];
  return {
    partitions: partitions.stdout.split("\n").filter(Boolean).map(parsePartition),
    // Indices end below MaxArraySize.
    mostElements: Math.max(1, Number(most ?? 1001) - 1),
  };
}

export function parsePartition(line: string): Partition {
  const fields = new Map(line.split(" ").map((field) => split(field)));
  return {
    name: fields.get("PartitionName") ?? "",
    isDefault: fields.get("Default") === "YES",
    longest: parseTime(fields.get("MaxTime") ?? "UNLIMITED"),
    cpus: Number(fields.get("TotalCPUs") ?? 0),
  };
}

/** "1-02:03:04", "02:03:04" in seconds; null: no limit. */
export function parseTime(text: string): number | null {
  const [, days = "0", hours, minutes, seconds] = /^(?:(\d+)-)?(\d+):(\d+):(\d+)$/.exec(text) ?? [];
  if (hours === undefined) return null;
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

function split(field: string): [string, string] {
  const at = field.indexOf("=");
  return at < 0 ? [field, ""] : [field.slice(0, at), field.slice(at + 1)];
}
