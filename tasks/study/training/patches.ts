/**
 * Training batches of random patches. The batch of a step depends only on the seed and the step, so a training can
 * resume at any step.
 */
import { type Triple, zerosLike } from "../arrays.ts";
import { createRandom, type Random, shuffled } from "../random.ts";
import type { Size } from "../volume/volume.ts";
import { augment, type Augmentation, type Patch, resizePatch, zoomedSize } from "./augment.ts";
import type { Box, TrainingCase } from "./cases.ts";

export interface Batch {
  /** (N, C, z, y, x), normalised intensities. */
  readonly images: Float32Array;
  /** (N, z, y, x), output channels. */
  readonly labels: Uint8Array;
}

/** Returns the batch of a step (from 0). */
export type BatchSource = (step: number) => Promise<Batch>;

export interface PatchOptions {
  readonly batch: number;
  /** (z, y, x) in voxels. */
  readonly patch: Triple;
  readonly channels?: number;
  readonly seed: number | string;
  /** Probability that a patch is centred on a voxel of a random label of its case; default 1/3, as in nnU-Net. */
  readonly foreground?: number;
  readonly augmentation?: Augmentation;
}

/**
 * Takes the cases in random order, and then again in another order, without end. A case that is smaller than the patch
 * is padded with zeros. Throws an Error if there are no cases.
 */
export function patchSource(cases: readonly TrainingCase[], options: PatchOptions): BatchSource {
  if (cases.length === 0) throw new Error("there are no cases to train on");
  const { batch, patch, channels = 1, augmentation = {} } = options;
  const size: Size = [patch[2], patch[1], patch[0]];
  const voxels = size[0] * size[1] * size[2];
  const root = createRandom(options.seed);
  return async (step) => {
    const images = new Float32Array(batch * channels * voxels);
    const labels = new Uint8Array(batch * voxels);
    for (let i = 0; i < batch; i++) {
      const sample = step * batch + i;
      const random = root.fork(`sample ${sample}`);
      const source = cases[caseOf(root, cases.length, sample)]!;
      const zoomed = zoomedSize(size, augmentation, random);
      const start = choosePlace(source, zoomed, options.foreground ?? 1 / 3, random);
      const read = await readPadded(source, start, zoomed, channels);
      const resized = resizePatch(read, zoomed, size);
      augment(resized, size, augmentation, random);
      images.set(resized.image, i * channels * voxels);
      labels.set(resized.labels, i * voxels);
    }
    return { images, labels };
  };
}

/** Index of the case for a sample. Each pass through the cases has its own random permutation. */
function caseOf(root: Random, count: number, sample: number): number {
  const random = root.fork(`order ${Math.floor(sample / count)}`);
  const order = shuffled(
    Array.from({ length: count }, (_, i) => i),
    random,
  );
  return order[sample % count]!;
}

/** First voxel of the box (x, y, z); negative along axes where the case is smaller than the box. */
function choosePlace(source: TrainingCase, box: Size, foreground: number, random: Random): Size {
  const labels = [...source.locations.keys()];
  const centred = random.next() < foreground && labels.length > 0;
  let centre: Size | null = null;
  if (centred) {
    const voxels = source.locations.get(labels[random.int(labels.length)]!)!;
    const index = voxels[random.int(voxels.length)]!;
    const [nx, ny] = source.size;
    centre = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))];
  }
  const along = (axis: 0 | 1 | 2) => {
    const room = source.size[axis] - box[axis];
    if (room <= 0) return Math.floor(room / 2);
    if (centre === null) return random.int(room + 1);
    return Math.min(Math.max(centre[axis] - Math.floor(box[axis] / 2), 0), room);
  };
  return [along(0), along(1), along(2)];
}

async function readPadded(source: TrainingCase, start: Size, size: Size, channels: number): Promise<Patch> {
  const low = (axis: 0 | 1 | 2) => Math.max(start[axis], 0);
  const length = (axis: 0 | 1 | 2) => Math.min(start[axis] + size[axis], source.size[axis]) - low(axis);
  const box: Box = { start: [low(0), low(1), low(2)], size: [length(0), length(1), length(2)] };
  const [image, labels] = [await source.image(box), await source.labels(box)];
  const inner = box.size[0] * box.size[1] * box.size[2];
  if (image.length !== channels * inner || labels.length !== inner) {
    throw new Error(`${source.id}: a box of ${inner} voxels came back with another number of them`);
  }
  if (box.size.every((count, axis) => count === size[axis])) return { image, labels };
  const offset: Size = [box.start[0] - start[0], box.start[1] - start[1], box.start[2] - start[2]];
  return { image: embed(image, box.size, size, offset), labels: embed(labels, box.size, size, offset) };
}

/** Copies all channels into a larger box of zeros. */
function embed<T extends Float32Array | Uint8Array>(data: T, from: Size, to: Size, offset: Size): T {
  const channels = data.length / (from[0] * from[1] * from[2]);
  const large = zerosLike(data, channels * to[0] * to[1] * to[2]);
  for (let plane = 0; plane < channels * from[2]; plane++) {
    const channel = Math.floor(plane / from[2]);
    const z = channel * to[2] + offset[2] + (plane % from[2]);
    for (let y = 0; y < from[1]; y++) {
      const source = from[0] * (y + from[1] * plane);
      large.set(data.subarray(source, source + from[0]), offset[0] + to[0] * (offset[1] + y + to[1] * z));
    }
  }
  return large;
}
