/** Resamples a network's output to the grid of an image. */
import { resampleLogits } from "./nnunet.ts";
import type { Size } from "../volume/volume.ts";

/** One class's logits or probabilities, interpolated linearly to another grid over the same box (sizes x, y, z). */
export function resizeLogits(
  data: Float32Array,
  [x, y, z]: Size,
  [toX, toY, toZ]: Size,
): Promise<Float32Array> {
  return resampleLogits(data, [z, y, x], [toZ, toY, toX], { separate: null, result: Float32Array });
}
