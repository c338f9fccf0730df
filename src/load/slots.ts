/** Reads `slots: { cpu: 2, memory: 4GiB, gpu: 1, POOL: 1 }`, sizes and durations. */
import type { GpuRequest, SlotRequest } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { bytesOf, sizeMeant } from "../system/sizes.ts";
import { checkName, describe, readBoolean, readCount, readMap, readText, refuseUnknownKeys } from "./read.ts";
import { nearest } from "./suggest.ts";
import type { Located } from "./yaml.ts";

export const GPU_KEYS = ["count", "memory", "type", "optional", "whole"] as const;
export const DEFAULT_SLOTS: SlotRequest = { cpu: 1, memory: 0, gpu: null, pools: new Map() };

const OWN_SLOTS = ["cpu", "memory", "gpu"];

export function parseSlots(node: Located, problems: Problems): SlotRequest {
  const map = readMap(node, '"slots"', problems);
  let { cpu, memory, gpu } = DEFAULT_SLOTS;
  const pools = new Map<string, number>();
  for (const [name, { key, value }] of map?.entries ?? []) {
    if (name === "cpu") cpu = readCount(value, '"cpu"', 0, problems);
    else if (name === "memory") memory = parseBytes(value, '"memory"', problems);
    else if (name === "gpu") gpu = parseGpu(value, problems);
    else {
      const meant = OWN_SLOTS.find((own) => name.toLowerCase() === own || nearest(name, [own]) === own);
      if (meant)
        problems.add(`unknown slot "${name}"`, key, `did you mean "${meant}"? (other names are pools)`);
      checkName(name, "pool", key, problems);
      pools.set(name, readCount(value, `pool "${name}"`, 0, problems));
    }
  }
  return { cpu, memory, gpu, pools };
}

function parseGpu(node: Located, problems: Problems): GpuRequest | null {
  const none = { count: 1, optional: false, memory: null, type: null, whole: true };
  if (node.kind === "scalar") {
    if (node.value === "optional") return { ...none, optional: true };
    if (typeof node.value === "number") {
      const count = readCount(node, '"gpu"', 0, problems);
      return count === 0 ? null : { ...none, count };
    }
  }
  if (node.kind !== "map") {
    const hint = "write gpu: 1, gpu: optional or gpu: { count, memory, type, whole, optional }";
    problems.add(`"gpu" must be a number, "optional" or a map, not ${describe(node)}`, node.span, hint);
    return null;
  }
  refuseUnknownKeys(node, GPU_KEYS, "gpu", problems);
  const get = (key: (typeof GPU_KEYS)[number]) => node.entries.get(key)?.value;
  const [count, memory, type, optional, whole] = GPU_KEYS.map(get);
  return {
    count: count ? readCount(count, '"count"', 1, problems) : 1,
    memory: memory ? parseBytes(memory, '"memory"', problems) : null,
    whole: whole ? readBoolean(whole, '"whole"', problems) : memory === undefined,
    type: type ? (readText(type, '"type"', problems)?.value ?? null) : null,
    optional: optional ? readBoolean(optional, '"optional"', problems) : false,
  };
}

/** Reads bytes from text such as `512MiB`, or from a number, which must be 0 or large. */
export function parseBytes(node: Located, what: string, problems: Problems): number {
  const text = node.kind === "scalar" ? String(node.value) : "";
  const [bytes, meant] = [bytesOf(text), sizeMeant(text)];
  if (meant !== null) problems.add(`${what} would be ${text} bytes`, node.span, `write ${meant}`);
  if (bytes !== null) return bytes;
  problems.add(`${what} must be a size, not ${describe(node)}`, node.span, "write it as in 512MiB or 4GiB");
  return 0;
}

const SECONDS: { readonly [unit: string]: number } = { "": 1, s: 1, m: 60, min: 60, h: 3600, d: 86400 };

/** Seconds of a text such as `90s`, `30m`, `2h`; null if the text is not a duration above 0. */
export function secondsOf(text: string): number | null {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/.exec(text) ?? [];
  const scale = number !== "" && Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined;
  const seconds = Number(number) * (scale ?? 0);
  return seconds > 0 ? seconds : null;
}

/** Reads seconds from a number or from text. */
export function parseDuration(node: Located, what: string, problems: Problems): number {
  const seconds = secondsOf(node.kind === "scalar" ? String(node.value) : "");
  if (seconds !== null) return seconds;
  problems.add(
    `${what} must be a duration, not ${describe(node)}`,
    node.span,
    "write it as in 90s, 30m or 2h",
  );
  return 1;
}
