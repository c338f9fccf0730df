/**
 * Two label maps as padded byte grids, in which the labels that are scored have consecutive numbers (slots).
 * One pass over both makes the grids and counts the voxels of all labels.
 */
import type { LabelVolume } from "../volume/volume.ts";

/**
 * Slot of voxel (x, y, z) at origin + x + row·y + plane·z; 0 is "none of them". There is a voxel of 0 beyond each
 * face, edge and corner, and four columns of a row make one aligned 32-bit word.
 */
export interface SlotGrid {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly size: readonly [number, number, number];
  readonly origin: number;
  readonly row: number;
  readonly plane: number;
}

/** Voxels of each slot in the reference, in the prediction and in both. */
export interface VoxelCounts {
  readonly reference: Float64Array;
  readonly prediction: Float64Array;
  readonly both: Float64Array;
}

/** 255 is kept free, for what no grid holds. */
export const MOST_SLOTS = 254;

/** Slots 1, 2, … for `labels`, of which there are at most MOST_SLOTS. Both maps have the same size. */
export function slotGrids(
  reference: LabelVolume,
  prediction: LabelVolume,
  labels: readonly number[],
): { reference: SlotGrid; prediction: SlotGrid; counts: VoxelCounts } {
  const slotOf = new Uint8Array(65536);
  labels.forEach((label, i) => (slotOf[label] = i + 1));
  const { size } = reference;
  const grids = { reference: emptyGrid(size), prediction: emptyGrid(size) };
  const { origin, row, plane } = grids.reference;
  const counts = {
    reference: new Float64Array(labels.length + 1),
    prediction: new Float64Array(labels.length + 1),
    both: new Float64Array(labels.length + 1),
  };
  for (let z = 0, i = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const start = origin + row * y + plane * z;
      fillRow(reference.data, prediction.data, i, size[0], start, slotOf, grids, counts);
      i += size[0];
    }
  }
  return { ...grids, counts };
}

function fillRow(
  reference: Uint8Array | Uint16Array,
  prediction: Uint8Array | Uint16Array,
  from: number,
  length: number,
  to: number,
  slotOf: Uint8Array,
  grids: { reference: SlotGrid; prediction: SlotGrid },
  counts: VoxelCounts,
): void {
  const a = grids.reference.data;
  const b = grids.prediction.data;
  for (let x = 0; x < length; x++) {
    const labelA = reference[from + x]!;
    const labelB = prediction[from + x]!;
    if ((labelA | labelB) === 0) continue;
    const slotA = slotOf[labelA]!;
    const slotB = slotOf[labelB]!;
    a[to + x] = slotA;
    b[to + x] = slotB;
    counts.reference[slotA]!++;
    counts.prediction[slotB]!++;
    if (slotA === slotB) counts.both[slotA]!++;
  }
}

function emptyGrid(size: readonly [number, number, number]): SlotGrid {
  const row = Math.ceil((size[0] + 1) / 4) * 4;
  const plane = row * (size[1] + 1);
  const origin = plane + row + 4;
  return { data: new Uint8Array(origin + plane * (size[2] + 1)), size, origin, row, plane };
}
