/** The cases of a training. A case gives boxes of its image and labels, from memory or from disk. */
import { IGNORED } from "../nn/autodiff/loss.ts";
import type { LabelVolume, Size, Volume } from "../volume/volume.ts";

/** A box (x, y, z in voxels) that lies inside the case. */
export interface Box {
  readonly start: Size;
  readonly size: Size;
}

export interface TrainingCase {
  readonly id: string;
  readonly size: Size;
  /** Normalised intensities of a box, x fastest; channels follow one another. */
  image(box: Box): Float32Array | Promise<Float32Array>;
  /** Output channel of each voxel of a box, x fastest. */
  labels(box: Box): Uint8Array | Promise<Uint8Array>;
  /** Some voxels of each label but 0, as indices x + size[0]·(y + size[1]·z). */
  readonly locations: ReadonlyMap<number, Uint32Array>;
}

/** A case in memory. Throws an Error if image and labels differ in size, or if a label is above 255. */
export function memoryCase(id: string, image: Volume, labels: LabelVolume): TrainingCase {
  const { size } = image;
  if (size.some((length, axis) => length !== labels.size[axis])) {
    throw new Error(`${id}: image (${size.join("×")}) and labels (${labels.size.join("×")}) differ in size`);
  }
  return {
    id,
    size,
    image: (box) => crop(image.data, size, box, new Float32Array(volume(box.size))),
    labels: (box) => crop(labels.data, size, box, new Uint8Array(volume(box.size))),
    locations: locate(labels.data, id),
  };
}

/** Copies a box of `source` (x fastest, with the given size) to `target`. */
function crop<T extends Float32Array | Uint8Array>(
  source: ArrayLike<number>,
  size: Size,
  { start, size: box }: Box,
  target: T,
): T {
  let to = 0;
  for (let z = 0; z < box[2]; z++) {
    for (let y = 0; y < box[1]; y++) {
      const from = start[0] + size[0] * (start[1] + y + size[1] * (start[2] + z));
      for (let x = 0; x < box[0]; x++) target[to++] = source[from + x]!;
    }
  }
  return target;
}

/** Number of voxels to remember of each label. They are spread evenly. */
const enough = 1000;

/** Indices of some voxels of each label but 0 and IGNORED. Throws an Error for a label above 255. */
export function locate(labels: ArrayLike<number>, id: string): Map<number, Uint32Array> {
  const counts = new Uint32Array(256);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label > 255) throw new Error(`${id}: label ${label} is above 255`);
    counts[label]!++;
  }
  const seen = new Uint32Array(256);
  const found = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label === 0 || label === IGNORED) continue;
    const stride = Math.ceil(counts[label]! / enough);
    if (seen[label]!++ % stride !== 0) continue;
    const list = found.get(label);
    if (list === undefined) found.set(label, [i]);
    else list.push(i);
  }
  return new Map(
    [...found].sort(([a], [b]) => a - b).map(([label, list]) => [label, Uint32Array.from(list)]),
  );
}

const volume = (size: Size) => size[0] * size[1] * size[2];
