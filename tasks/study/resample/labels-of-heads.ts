/** Turns a network's output heads on one grid into labels on another. */
import { parts, shared, sharedArray } from "../threads/crew.ts";
import { axisMap } from "./axis.ts";
import { pairsOf } from "./blend.ts";
import { alone, MANY, type ResampleCrew, SHARES } from "./crew.ts";
import type { HeadLabels } from "./heads.ts";

export interface HeadsOnGrid extends Omit<HeadLabels, "labels" | "pairs"> {
  /** Take the nearest slice along this axis, and interpolate linearly along the others. See separateAxis. */
  readonly separate: 0 | 1 | 2 | null;
}

/** Labels of `newShape` on the half-pixel grid. They have 8 bits if `highest`, the greatest label, is below 255. */
export async function labelsOfHeads(
  { separate, ...work }: HeadsOnGrid,
  highest: number,
  crew: ResampleCrew = alone,
): Promise<Uint8Array | Uint16Array> {
  const { shape, newShape } = work;
  const along = (axis: 0 | 1 | 2) =>
    pairsOf(axisMap(shape[axis], newShape[axis], axis === separate ? 0 : 1, "half-pixel"));
  const length = newShape[0] * newShape[1] * newShape[2];
  const together = crew.threads > 1 && length * work.heads.length >= MANY;
  const type = highest < 255 ? Uint8Array : Uint16Array;
  const heads: HeadLabels = {
    ...work,
    heads: together ? work.heads.map((head) => shared(head)) : work.heads,
    pairs: [along(0), along(1), along(2)],
    labels: together ? sharedArray<Uint8Array | Uint16Array>(type, length) : new type(length),
  };
  const cut = parts(newShape[0] * newShape[1], together ? SHARES * crew.threads : 1);
  await crew.work(cut.map((part) => ({ kind: "heads", heads, ...part })));
  return together ? heads.labels.slice() : heads.labels;
}
