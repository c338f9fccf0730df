/** Random augmentation of training patches. Axes are in the order x, y, z; in arrays x is fastest. */
import type { Random } from "../random.ts";
import type { Size } from "../volume/volume.ts";

export interface Augmentation {
  /** Axes to mirror with probability ½. Default: none, because left and right organs differ. */
  readonly flip?: readonly ("x" | "y" | "z")[];
  /** Range of the zoom factor, which is the same for all axes; default [1, 1]. A factor above 1 enlarges. */
  readonly scale?: readonly [number, number];
  /** Greatest standard deviation of Gaussian noise, in units of the normalised image; default 0. */
  readonly noise?: number;
  /** Greatest relative change c of the contrast: the factor is in [1 − c, 1 + c]; default 0. */
  readonly contrast?: number;
  /** Greatest shift of intensity, in units of the normalised image; default 0. */
  readonly brightness?: number;
}

export interface Patch {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
}

/** Size of the box to read: resized to `patch`, it is zoomed by a random factor. An axis of one voxel stays one voxel. */
export function zoomedSize(patch: Size, { scale }: Augmentation, random: Random): Size {
  if (scale === undefined) return patch;
  const factor = scale[0] + (scale[1] - scale[0]) * random.next();
  const along = (axis: 0 | 1 | 2) => (patch[axis] === 1 ? 1 : Math.max(1, Math.round(patch[axis] / factor)));
  return [along(0), along(1), along(2)];
}

/** Resizes the image (linear) and the labels (nearest) on half-pixel grids. */
export function resizePatch({ image, labels }: Patch, from: Size, to: Size): Patch {
  if (from.every((length, axis) => length === to[axis])) return { image, labels };
  const [tx, ty, tz] = [taps(from[0], to[0]), taps(from[1], to[1]), taps(from[2], to[2])];
  const voxels = to[0] * to[1] * to[2];
  const fromVoxels = from[0] * from[1] * from[2];
  const channels = image.length / fromVoxels;
  const resized = { image: new Float32Array(channels * voxels), labels: new Uint8Array(voxels) };
  let out = 0;
  for (let channel = 0; channel < channels; channel++) {
    const base = channel * fromVoxels;
    for (const z of tz) {
      const planes = [base + from[0] * from[1] * z.low, base + from[0] * from[1] * z.high] as const;
      for (const y of ty) {
        const rows = [planes[0] + from[0] * y.low, planes[0] + from[0] * y.high] as const;
        const above = [planes[1] + from[0] * y.low, planes[1] + from[0] * y.high] as const;
        for (const x of tx) {
          const low = mix(mixAt(image, rows[0], x), mixAt(image, rows[1], x), y.share);
          const high = mix(mixAt(image, above[0], x), mixAt(image, above[1], x), y.share);
          resized.image[out++] = mix(low, high, z.share);
        }
      }
    }
  }
  out = 0;
  for (const z of tz) {
    for (const y of ty) {
      const row = from[0] * (y.nearest + from[1] * z.nearest);
      for (const x of tx) resized.labels[out++] = labels[row + x.nearest]!;
    }
  }
  return resized;
}

interface Tap {
  readonly low: number;
  readonly high: number;
  /** Weight of the voxel `high`. */
  readonly share: number;
  readonly nearest: number;
}

function taps(from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, i) => {
    const position = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(position);
    const share = position - low;
    const high = Math.min(low + 1, from - 1);
    return { low, high, share, nearest: share < 0.5 ? low : high };
  });
}

const mix = (a: number, b: number, share: number) => a + (b - a) * share;
const mixAt = (image: Float32Array, row: number, x: Tap) =>
  mix(image[row + x.low]!, image[row + x.high]!, x.share);

/** Mirrors the patch and changes the intensities of its first channel, in place. Further channels are prompts. */
export function augment({ image, labels }: Patch, size: Size, options: Augmentation, random: Random): void {
  const axes = (options.flip ?? []).filter(() => random.next() < 0.5);
  for (const name of axes) {
    mirror(image, size, "xyz".indexOf(name));
    mirror(labels, size, "xyz".indexOf(name));
  }
  const { noise = 0, contrast = 0, brightness = 0 } = options;
  if (noise === 0 && contrast === 0 && brightness === 0) return;
  const factor = 1 + contrast * (2 * random.next() - 1);
  const shift = brightness * (2 * random.next() - 1);
  const deviation = noise * random.next();
  for (let i = 0; i < labels.length; i++) {
    image[i] = image[i]! * factor + shift + (deviation > 0 ? deviation * random.normal() : 0);
  }
}

/** Reverses one axis in all channels, in place. */
function mirror(data: Float32Array | Uint8Array, size: Size, axis: number): void {
  const inner = axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1];
  const length = size[axis]!;
  for (let block = 0; block < data.length; block += inner * length) {
    for (let low = 0, high = length - 1; low < high; low++, high--) {
      for (let i = 0; i < inner; i++) {
        const a = block + low * inner + i;
        const b = block + high * inner + i;
        const value = data[a]!;
        data[a] = data[b]!;
        data[b] = value;
      }
    }
  }
}
