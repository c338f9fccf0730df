/** The request of a task for which its share of a device turned out to be too little. */
import type { SlotRequest } from "../model.ts";

export function wholeDevices(request: SlotRequest): SlotRequest {
  return request.gpu === null ? request : { ...request, gpu: { ...request.gpu, whole: true } };
}
