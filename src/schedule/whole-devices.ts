/** The request of a task for which its share of a device turned out to be too little. */
import type { SlotRequest } from "../model/model.ts";
import { shortageOf, type Capacity } from "./capacity.ts";

/**
 * Whole devices, and of those that suit it the largest: a small one that is free may have no more memory than what the
 * share left of a large one.
 */
export function wholeDevices(request: SlotRequest, capacity: Capacity): SlotRequest {
  const { gpu } = request;
  if (gpu === null) return request;
  const sizes = capacity.devices.flatMap(({ memory }) => memory ?? []).sort((a, b) => b - a);
  const whole = (memory: number | null): SlotRequest => ({
    ...request,
    gpu: { ...gpu, memory, whole: true },
  });
  return sizes.map(whole).find((larger) => shortageOf(larger, capacity) === null) ?? whole(gpu.memory);
}
