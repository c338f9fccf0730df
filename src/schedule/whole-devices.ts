/** Makes the next request of a task whose share of a device was too small. */
import type { SlotRequest } from "../model/model.ts";
import { shortageOf, type Capacity } from "./capacity.ts";

/**
 * Asks for whole devices, the largest that suit the task. A small device may have no more memory than the share had on
 * a large one.
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
