/**
 * Turns Hounsfield units into the input of MedSAM's encoder.
 * Reference: bowang-lab/MedSAM pre_CT_MR.py (the volume) and MedSAM_Inference.py (the slice). The slice is resized as
 * in scikit-image: cubic spline, half-pixel grid, mirrored borders, smoothing before shrinking, clipping to the range.
 */
import { resize } from "../resample/resize.ts";
import { mirrored } from "../resample/spline.ts";

/** Clips to the window (HU), scales the remaining range to 0 … 255, and rounds down to whole numbers. */
export function toBytes(values: ArrayLike<number>, [low, high]: readonly [number, number]): Uint8Array {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = Math.min(high, Math.max(low, values[i]!));
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const range = greatest - least;
  const bytes = new Uint8Array(values.length);
  if (!(range > 0)) return bytes;
  for (let i = 0; i < values.length; i++) {
    bytes[i] = ((Math.min(high, Math.max(low, values[i]!)) - least) / range) * 255;
  }
  return bytes;
}

/** Resizes a slice (height × width) to size × size, in double precision. */
export async function resizeSlice(
  slice: Uint8Array,
  height: number,
  width: number,
  size: number,
): Promise<Float64Array> {
  const rows = smooth(Float64Array.from(slice), { count: height, step: width }, (height / size - 1) / 2);
  const values = smooth(rows, { count: width, step: 1 }, (width / size - 1) / 2);
  const cubic = { orders: [3, 3, 3], alignment: "half-pixel", border: "mirror" } as const;
  const resized = await resize(values, [1, height, width], [1, size, size], cubic, Float64Array);
  const { least, greatest } = rangeOf(slice);
  return resized.map((v) => Math.min(greatest, Math.max(least, v)));
}

/** Input of the encoder (3, size, size): the slice rounded down to bytes and scaled to 0 … 1, in each of three channels. */
export function encoderInput(resized: Float64Array): Float32Array {
  // A value just below a whole number is that number with a rounding error.
  const bytes = Uint8Array.from(resized, (v) => Math.floor(v + 1e-6));
  const { least, greatest } = rangeOf(bytes);
  const range = Math.max(greatest - least, 1e-8);
  const image = new Float32Array(3 * bytes.length);
  for (let i = 0; i < bytes.length; i++) image[i] = (bytes[i]! - least) / range;
  image.copyWithin(bytes.length, 0, bytes.length);
  image.copyWithin(2 * bytes.length, 0, bytes.length);
  return image;
}

function rangeOf(bytes: Uint8Array): { least: number; greatest: number } {
  let [least, greatest] = [255, 0];
  for (const value of bytes) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, greatest };
}

/** Gaussian smoothing along one axis of a slice, cut off at 4 sigma. Does nothing if sigma is not positive. */
function smooth(
  values: Float64Array,
  { count, step }: { readonly count: number; readonly step: number },
  sigma: number,
): Float64Array {
  if (!(sigma > 0)) return values;
  const radius = Math.floor(4 * sigma + 0.5);
  const bell = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / sigma) ** 2),
  );
  const total = bell.reduce((a, b) => a + b, 0);
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const place = Math.floor(i / step) % count;
    let sum = 0;
    for (let k = -radius; k <= radius; k++) {
      sum += (bell[k + radius]! / total) * values[i + (mirrored(place + k, count) - place) * step]!;
    }
    result[i] = sum;
  }
  return result;
}
