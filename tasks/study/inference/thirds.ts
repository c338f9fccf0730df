/**
 * TotalSegmentator cuts very large volumes along z into three overlapping parts and predicts each as a volume of its own.
 * Reference: wasserth/TotalSegmentator totalsegmentator/nnunet.py.
 */
import type { LabelVolume, Volume } from "../volume/volume.ts";

/** Whether the package cuts a volume of this size (x, y, z in voxels of the networks' spacing). */
export function isVeryLarge([x, y, z]: Volume["size"]): boolean {
  return x * y * z > 512 * 512 * 900 && z > 200;
}

/** Each part has so many extra slices at its end, and one fewer at its start. */
const MARGIN = 20;

/** Predicts the three parts one after the other and joins them to labels of the volume's size. */
export async function inThirds(
  volume: Volume,
  predict: (part: Volume) => Promise<LabelVolume>,
): Promise<LabelVolume> {
  const [x, y, z] = volume.size;
  const plane = x * y;
  const third = Math.floor(z / 3);
  const labels = new Uint8Array(plane * z);
  for (const [first, end] of [
    [0, third],
    [third, 2 * third],
    [2 * third, z],
  ] as const) {
    const from = first === 0 ? 0 : first + 1 - MARGIN;
    const to = Math.min(z, end + MARGIN);
    const data = volume.data.subarray(from * plane, to * plane);
    // The affine is not shifted: the network does not use it.
    const part = await predict({ ...volume, data, size: [x, y, to - from] });
    labels.set(part.data.subarray((first - from) * plane, (end - from) * plane), first * plane);
  }
  return { ...volume, data: labels };
}
