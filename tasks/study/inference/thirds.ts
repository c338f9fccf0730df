/**
 * TotalSegmentator's cut of very large volumes: three parts along z that overlap, each predicted as a volume of its own.
 * Reference: wasserth/TotalSegmentator totalsegmentator/nnunet.py.
 */
import type { LabelVolume, Volume } from "../volume/volume.ts";

/** Whether the package cuts a volume of that size (in voxels of the networks' spacing). */
export function isVeryLarge([x, y, z]: Volume["size"]): boolean {
  return x * y * z > 512 * 512 * 900 && z > 200;
}

/** Slices by which a part reaches into the next one; it begins one fewer before its own. */
const MARGIN = 20;

/** Predicts a third of the slices after the other, the last with what remains; labels are of the volume's size. */
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
    // Where a part lies in the world makes no difference to a network.
    const part = await predict({ ...volume, data, size: [x, y, to - from] });
    labels.set(part.data.subarray((first - from) * plane, (end - from) * plane), first * plane);
  }
  return { ...volume, data: labels };
}
