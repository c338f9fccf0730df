/**
 * Positions and weights of nnU-Net's sliding window.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/inference/sliding_window_prediction.py.
 */
import type { Shape } from "../arrays.ts";
import { roundHalfEven } from "../round-half-even.ts";

/**
 * First voxel of each window along one axis. Windows are evenly spread, at most `patch · step` apart, and rounded half
 * to even. A patch of one voxel takes each voxel once: other steps would give the same mean. Throws RangeError unless 0 < step ≤ 1 and `size` ≥ `patch` (the caller pads).
 */
export function windowStarts(size: number, patch: number, step: number): number[] {
  if (!(step > 0 && step <= 1))
    throw new RangeError(`the step is a share of the patch, 0 < step <= 1, not ${step}`);
  if (size < patch) throw new RangeError(`an axis of ${size} voxels does not hold a window of ${patch}`);
  if (patch === 1) return Array.from({ length: size }, (_, i) => i);
  const count = Math.ceil((size - patch) / (patch * step)) + 1;
  const stride = count > 1 ? (size - patch) / (count - 1) : 0;
  return Array.from({ length: count }, (_, i) => roundHalfEven(stride * i));
}

/** Weights of a window's voxels in C order: a Gaussian with the given maximum (default 10), or equal weights. */
export function windowWeights(patch: Shape, weights: 10 | 1 | "constant" = 10): Float32Array {
  if (weights !== "constant") return gaussianWeights(patch, weights);
  return new Float32Array(patch[0] * patch[1] * patch[2]).fill(1);
}

/**
 * Weights of a window's voxels, in the shape of the patch: a Gaussian with sigma = patch / 8 around voxel patch // 2
 * with maximum `peak` (10 in nnU-Net v2, 1 in v1). The reference cuts it off at 4 sigma, which is beyond the window.
 */
export function gaussianWeights(patch: Shape, peak: number): Float32Array {
  const [gz, gy, gx] = patch.map(gaussianProfile) as [Float64Array, Float64Array, Float64Array];
  const weights = new Float32Array(patch[0] * patch[1] * patch[2]);
  let i = 0;
  for (const a of gz) for (const b of gy) for (const c of gx) weights[i++] = peak * a * b * c;
  return weights;
}

function gaussianProfile(length: number): Float64Array {
  const sigma = length / 8;
  const centre = Math.floor(length / 2);
  return Float64Array.from({ length }, (_, i) => Math.exp(-((i - centre) ** 2) / (2 * sigma * sigma)));
}
