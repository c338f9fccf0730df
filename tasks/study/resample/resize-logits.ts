/** From the grid of a network to that of an image. */
import { resampleLogits } from "./nnunet.ts";
import type { Size } from "../volume/volume.ts";

/** One class's logits or probabilities on another grid over the same extent (sizes x, y, z), linearly. */
export function resizeLogits(
  data: Float32Array,
  [x, y, z]: Size,
  [toX, toY, toZ]: Size,
): Promise<Float32Array> {
  return resampleLogits(data, [z, y, x], [toZ, toY, toX], { separate: null, result: Float32Array });
}
