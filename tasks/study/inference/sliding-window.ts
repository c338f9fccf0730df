/**
 * Predicts a whole array window by window, as nnU-Net does.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/inference/{sliding_window_prediction,predict_from_raw_data}.py. Sums here are
 * float32; nnU-Net uses half precision.
 */
import type { Shape } from "../arrays.ts";
import { sharedArray } from "../threads/crew.ts";
import { windowStarts, windowWeights } from "./windows.ts";

/** Maps (batch, channels, patch) to (batch, classes, patch), both in C order. The last call may have a smaller batch. */
export type PatchPredictor = (patches: Float32Array, batch: number) => Promise<Float32Array>;

export interface SlidingWindowOptions {
  /** The network's input size (z, y, x). A shorter image is padded with 0 on both sides. */
  readonly patch: Shape;
  /** Greatest distance between neighbouring windows as a fraction of the patch, 0 < step ≤ 1. */
  readonly step: number;
  /** Axes (0 to 2) to mirror: the result is the mean over all 2ⁿ combinations. None by default. */
  readonly mirrorAxes?: readonly number[];
  /** Maximum of the Gaussian weight: 10 (nnU-Net v2, default) or 1 (v1). "constant": equal weights. */
  readonly weights?: 10 | 1 | "constant";
  /** Patches in one call of the predictor, 1 by default. */
  readonly batch?: number;
  readonly signal?: AbortSignal;
  /** Called after every batch with the fraction that is done. */
  readonly progress?: (fraction: number) => void;
}

interface Job {
  readonly start: Shape;
  readonly mirror: readonly [boolean, boolean, boolean];
}

/**
 * Weighted mean of the predictions: one array of shape `shape` for each class, in C order. The arrays are shared
 * memory, so that threads can use them without a copy.
 *
 * `image` is (channels, ...shape) float32 in C order. Throws RangeError if sizes do not agree, and an Error if the
 * network gives values that are not finite.
 */
export async function slidingWindow(
  image: Float32Array,
  shape: Shape,
  predict: PatchPredictor,
  options: SlidingWindowOptions,
): Promise<Float32Array[]> {
  const { patch } = options;
  const voxels = shape[0] * shape[1] * shape[2];
  const patchVoxels = patch[0] * patch[1] * patch[2];
  const channels = image.length / voxels;
  if (!Number.isInteger(channels) || channels < 1) {
    throw new RangeError(`${image.length} values are not a multiple of ${shape.join("×")} voxels`);
  }
  const weights = windowWeights(patch, options.weights);
  const jobs = windowJobs(shape, options);
  const batch = options.batch ?? 1;
  const total = new Float32Array(voxels);
  const sums: Float32Array[] = [];

  for (let first = 0; first < jobs.length; first += batch) {
    options.signal?.throwIfAborted();
    const group = jobs.slice(first, first + batch);
    const patches = new Float32Array(group.length * channels * patchVoxels);
    group.forEach((job, b) => {
      visitRows(job, shape, patch, (inImage, _, inPatch, direction, length) => {
        for (let c = 0; c < channels; c++) {
          const source = c * voxels + inImage;
          const target = (b * channels + c) * patchVoxels + inPatch;
          for (let i = 0, p = target; i < length; i++, p += direction) patches[p] = image[source + i]!;
        }
      });
    });
    const output = await predict(patches, group.length);
    const classes = output.length / (group.length * patchVoxels);
    if (!Number.isInteger(classes) || classes < 1) {
      throw new RangeError(
        `the network gave ${output.length} values for ${group.length} patches of ${patch.join("×")}`,
      );
    }
    while (sums.length < classes) sums.push(sharedArray(Float32Array, voxels));
    group.forEach((job, b) => {
      for (let k = 0; k < classes; k++) {
        const sum = sums[k]!;
        const values = output.subarray((b * classes + k) * patchVoxels, (b * classes + k + 1) * patchVoxels);
        visitRows(job, shape, patch, (inImage, inWindow, inPatch, direction, length) =>
          addRow(sum, inImage, values, inPatch, direction, weights, inWindow, length),
        );
      }
      visitRows(job, shape, patch, (inImage, inWindow, _inPatch, _direction, length) => {
        for (let i = 0; i < length; i++) total[inImage + i]! += weights[inWindow + i]!;
      });
    });
    options.progress?.(Math.min(1, (first + group.length) / jobs.length));
  }
  for (const sum of sums) divideFinite(sum, total);
  return sums;
}

/** A function of its own, because V8 optimises this simple loop better outside the loops around it. */
function addRow(
  sum: Float32Array,
  at: number,
  values: Float32Array,
  from: number,
  direction: 1 | -1,
  weights: Float32Array,
  weight: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    sum[at + i] = sum[at + i]! + values[from]! * weights[weight + i]!;
    from += direction;
  }
}

/** All windows, axis 0 outermost, each with all combinations of mirrored axes. A negative start lies in the padding. */
function windowJobs(shape: Shape, { patch, step, mirrorAxes = [] }: SlidingWindowOptions): Job[] {
  const starts = shape.map((size, axis) => {
    const padded = Math.max(size, patch[axis]!);
    const before = Math.floor((padded - size) / 2);
    return windowStarts(padded, patch[axis]!, step).map((start) => start - before);
  });
  const mirrors = Array.from({ length: 2 ** mirrorAxes.length }, (_, bits): Job["mirror"] => {
    const mirrored = mirrorAxes.filter((_, i) => bits & (1 << i));
    return [mirrored.includes(0), mirrored.includes(1), mirrored.includes(2)];
  });
  return starts[0]!.flatMap((z) =>
    starts[1]!.flatMap((y) =>
      starts[2]!.flatMap((x) => mirrors.map((mirror): Job => ({ start: [z, y, x], mirror }))),
    ),
  );
}

/**
 * Visits the rows (runs along axis 2) of a window that lie inside the image. `visit` gets the index of the first
 * voxel in the image, in the window and in the mirrored patch, the direction in the patch (1 or −1), and the length.
 */
function visitRows(
  { start, mirror }: Job,
  shape: Shape,
  patch: Shape,
  visit: (inImage: number, inWindow: number, inPatch: number, direction: 1 | -1, length: number) => void,
): void {
  const low = (axis: 0 | 1 | 2) => Math.max(0, -start[axis]);
  const high = (axis: 0 | 1 | 2) => Math.min(patch[axis], shape[axis] - start[axis]);
  const mirrored = (i: number, axis: 0 | 1 | 2) => (mirror[axis] ? patch[axis] - 1 - i : i);
  const x = low(2);
  const length = high(2) - x;
  for (let z = low(0); z < high(0); z++) {
    for (let y = low(1); y < high(1); y++) {
      const inImage = ((start[0] + z) * shape[1] + start[1] + y) * shape[2] + start[2] + x;
      const inWindow = (z * patch[1] + y) * patch[2] + x;
      const inPatch = (mirrored(z, 0) * patch[1] + mirrored(y, 1)) * patch[2] + mirrored(x, 2);
      visit(inImage, inWindow, inPatch, mirror[2] ? -1 : 1, length);
    }
  }
}

function divideFinite(sum: Float32Array, total: Float32Array): void {
  let check = 0;
  for (let i = 0; i < sum.length; i++) {
    const mean = sum[i]! / total[i]!;
    sum[i] = mean;
    check += mean - mean;
  }
  if (Number.isNaN(check)) throw new Error("the network gave values that are not finite (NaN or infinite)");
}
