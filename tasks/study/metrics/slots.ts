/**
 * Turns two label maps into padded grids of bytes, in which the scored labels have the consecutive numbers 1, 2, …
 * ("slots"). One pass over both maps makes the grids and counts the voxels of all labels.
 */
import type { LabelVolume } from "../volume/volume.ts";

/**
 * data[origin + x + row·y + plane·z] is the slot of voxel (x, y, z), or 0 for any other label. A voxel of 0 lies beyond
 * each face, edge and corner. Four columns of a row make one aligned 32-bit word.
 */
export interface SlotGrid {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly size: readonly [number, number, number];
  readonly origin: number;
  readonly row: number;
  readonly plane: number;
  readonly extents: Extents;
}

/** The first and last column with a slot, for row (y, z) at index y + 1 + (size[1] + 2)·(z + 1). */
export interface Extents {
  /** Greater than `last` if the row has no slot, as all rows beyond the volume. */
  readonly first: Uint16Array;
  readonly last: Uint16Array;
}

/** Number of voxels of each slot in the reference, in the prediction, and in both at the same place. */
export interface VoxelCounts {
  readonly reference: Float64Array;
  readonly prediction: Float64Array;
  readonly both: Float64Array;
}

/** Slot 255 stays free: surface.ts needs a value that no grid holds. */
export const MOST_SLOTS = 254;

/** The grids of two maps of the same size; `labels` (at most MOST_SLOTS) get the slots 1, 2, … in their order. */
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
  const pair = pairOf(reference.data, prediction.data);
  for (let z = 0, i = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const start = origin + row * y + plane * z;
      const at = y + 1 + (size[1] + 2) * (z + 1);
      fillRow(pair, i, size[0], start, at, slotOf, grids, counts);
      i += size[0];
    }
  }
  return { ...grids, counts };
}

type Labels = LabelVolume["data"];

/** Both maps; if both are bytes, also as 32-bit words of four voxels. */
interface Pair {
  readonly a: Labels;
  readonly b: Labels;
  readonly words: { readonly a: Int32Array; readonly b: Int32Array } | null;
}

function pairOf(a: Labels, b: Labels): Pair {
  const [wordsA, wordsB] = [wordsOf(a), wordsOf(b)];
  return { a, b, words: wordsA && wordsB ? { a: wordsA, b: wordsB } : null };
}

function wordsOf(data: Labels): Int32Array | null {
  if (!(data instanceof Uint8Array) || data.byteOffset % 4 !== 0) return null;
  return new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
}

/** Fills one row. Labels come in runs, so each run is looked up and counted once. */
function fillRow(
  pair: Pair,
  from: number,
  length: number,
  to: number,
  at: number,
  slotOf: Uint8Array,
  grids: { reference: SlotGrid; prediction: SlotGrid },
  counts: VoxelCounts,
): void {
  for (let x = 0, end = 0; x < length; x = end) {
    end = runEnd(pair, from + x, from + length) - from;
    const slotA = slotOf[pair.a[from + x]!]!;
    const slotB = slotOf[pair.b[from + x]!]!;
    const run = end - x;
    if (slotA !== 0) fill(grids.reference, slotA, to, at, x, end);
    if (slotB !== 0) fill(grids.prediction, slotB, to, at, x, end);
    counts.reference[slotA]! += run;
    counts.prediction[slotB]! += run;
    if (slotA === slotB) counts.both[slotA]! += run;
  }
}

/** The end (at most `stop`) of the run of voxels that equal the one at `at` in both maps. */
function runEnd({ a, b, words }: Pair, at: number, stop: number): number {
  const [labelA, labelB] = [a[at]!, b[at]!];
  let end = at + 1;
  while (end < stop && (end & 3) !== 0 && a[end] === labelA && b[end] === labelB) end++;
  if (words !== null && (end & 3) === 0) {
    const [wordA, wordB] = [Math.imul(labelA, 0x01010101), Math.imul(labelB, 0x01010101)];
    while (end + 4 <= stop && words.a[end >> 2] === wordA && words.b[end >> 2] === wordB) end += 4;
  }
  while (end < stop && a[end] === labelA && b[end] === labelB) end++;
  return end;
}

/** Fills columns `x` to `end` - 1 of the row that begins at `start`. For few bytes a loop is faster than fill(). */
function fill(
  { data, extents: { first, last } }: SlotGrid,
  slot: number,
  start: number,
  at: number,
  x: number,
  end: number,
): void {
  if (end - x > 32) data.fill(slot, start + x, start + end);
  else for (let i = start + x; i < start + end; i++) data[i] = slot;
  if (x < first[at]!) first[at] = x;
  last[at] = end - 1;
}

function emptyGrid(size: readonly [number, number, number]): SlotGrid {
  const row = Math.ceil((size[0] + 1) / 4) * 4;
  const plane = row * (size[1] + 1);
  const origin = plane + row + 4;
  const rows = (size[1] + 2) * (size[2] + 2);
  const extents = { first: new Uint16Array(rows).fill(65535), last: new Uint16Array(rows) };
  return { data: new Uint8Array(origin + plane * (size[2] + 1)), size, origin, row, plane, extents };
}
