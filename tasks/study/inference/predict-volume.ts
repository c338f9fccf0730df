/** Predicts a whole array with one or several networks: on the device where the backend can, else window by window. */
import type { Shape } from "../arrays.ts";
import type { Network, VolumePlan } from "../nn/network.ts";
import { slidingWindow, type SlidingWindowOptions } from "./sliding-window.ts";
import { windowStarts, windowWeights } from "./windows.ts";

/** Names of the network's input and output. */
export interface Ports {
  readonly input: string;
  readonly output: string;
}

/**
 * The mean over networks of what `slidingWindow` gives: one shared array of shape `shape` for each class. `image` is
 * (channels, ...shape) in C order. Throws as slidingWindow does.
 */
export async function predictVolume(
  networks: readonly Network[],
  { input, output }: Ports,
  image: Float32Array,
  shape: Shape,
  options: SlidingWindowOptions,
): Promise<Float32Array[]> {
  const [first] = networks;
  if (first?.volume) return first.volume(networks, image, planOf(shape, options));
  const { patch, progress } = options;
  const channels = image.length / (shape[0] * shape[1] * shape[2]);
  const sums: Float32Array[] = [];
  for (const [i, network] of networks.entries()) {
    const predict = async (data: Float32Array, batch: number) => {
      const outputs = await network.run({ [input]: { shape: [batch, channels, ...patch], data } });
      const result = outputs[output];
      if (!result) throw new Error(`the network has no output ${output}`);
      return result.data;
    };
    const heads = await slidingWindow(image, shape, predict, {
      ...options,
      ...(progress && { progress: (fraction: number) => progress((i + fraction) / networks.length) }),
    });
    if (i === 0) sums.push(...heads);
    else heads.forEach((head, k) => addTo(sums[k]!, head));
  }
  if (networks.length > 1) for (const sum of sums) divideBy(sum, networks.length);
  return sums;
}

/** The windows of `slidingWindow`, for a backend that cuts them itself. */
function planOf(
  shape: Shape,
  { patch, step, mirrorAxes = [], ...options }: SlidingWindowOptions,
): VolumePlan {
  const missing = shape.map((size, axis) => Math.max(0, patch[axis]! - size));
  const [before, after] = [Math.floor, Math.ceil].map((round) => missing.map((n) => round(n / 2)));
  return {
    shape,
    patch,
    before: before as unknown as Shape,
    after: after as unknown as Shape,
    starts: shape.map((size, axis) => windowStarts(size + missing[axis]!, patch[axis]!, step)),
    mirrors: Array.from({ length: 2 ** mirrorAxes.length }, (_, bits) =>
      mirrorAxes.filter((_, i) => bits & (1 << i)),
    ),
    weights: windowWeights(patch, options.weights),
    signal: options.signal,
    progress: options.progress,
  };
}

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

function divideBy(values: Float32Array, divisor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! /= divisor;
}
