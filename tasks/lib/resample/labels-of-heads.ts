/** Labels on one grid from what a network says of each class on another. */
import { parts, shared, sharedArray } from "../threads/crew.ts";
import { alone, MANY, type ResampleCrew } from "./crew.ts";
import type { HeadLabels } from "./heads.ts";

/**
 * Labels of `newShape`: bytes where `highest`, the greatest of them, is below 255. No more than some slices of two
 * heads are in memory at the new size.
 */
export async function labelsOfHeads(
  work: Omit<HeadLabels, "labels">,
  highest: number,
  crew: ResampleCrew = alone,
): Promise<Uint8Array | Uint16Array> {
  const [slices, rows, columns] = work.newShape;
  const length = slices * rows * columns;
  const together = crew.threads > 1 && length * work.heads.length >= MANY;
  const type = highest < 255 ? Uint8Array : Uint16Array;
  const labels = together ? sharedArray<Uint8Array | Uint16Array>(type, length) : new type(length);
  const heads = { ...work, heads: together ? work.heads.map((head) => shared(head)) : work.heads, labels };
  // Slabs of one slice would resample most slices of the heads twice, thick ones take much memory.
  const thickness = Math.max(16, Math.ceil(2 ** 20 / (rows * columns)));
  const cut = parts(slices, Math.ceil(slices / thickness));
  await crew.work(cut.map((part) => ({ kind: "heads", heads, ...part })));
  return together ? labels.slice() : labels;
}
