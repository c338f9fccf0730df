/** What TotalSegmentator does with labels after the networks, on small label maps. */
import { expect, test } from "vitest";
import {
  cleanUpBody,
  cropBox,
  cropVolume,
  keepNear,
} from "../../tasks/study/inference/totalsegmentator-crop.ts";
import { totalSegmentatorTask } from "../../tasks/study/inference/totalsegmentator-tasks.ts";
import { cleanUpVertebrae, refineVertebrae } from "../../tasks/study/inference/totalsegmentator-vertebrae.ts";
import type { LabelVolume } from "../../tasks/study/volume/volume.ts";

/** A label map of 1 × 1 × n voxels of 10 × 100 × 100 mm. */
function row(text: string): LabelVolume {
  const affine = [10, 0, 0, 0, 0, 100, 0, 0, 0, 0, 100, 0, 0, 0, 0, 1];
  return { data: Uint8Array.from(text, Number), size: [text.length, 1, 1], spacing: [10, 100, 100], affine };
}

test("body: the largest trunk stays, the first of equal ones; small extremities go", () => {
  const values = { body_trunc: 1, body_extremities: 2 };
  // 50,000 mm³ is half a voxel.
  expect(cleanUpBody(row("1101102010"), values).data.join("")).toBe("1100002000");
  const fine = { ...row("2202"), spacing: [10, 50, 50] as const };
  expect(cleanUpBody(fine, values).data.join("")).toBe("0000");
  expect(cleanUpBody({ ...fine, spacing: [10, 51, 50] as const }, values).data.join("")).toBe("2200");
});

test("body: voxels that touch only at an edge are two parts", () => {
  const values = { body_trunc: 1, body_extremities: 2 };
  const square = { ...row("1110"), data: Uint8Array.of(1, 0, 0, 1, 0, 1), size: [2, 3, 1] as const };
  // The column of two voxels is larger than the single one.
  expect([...cleanUpBody(square, values).data]).toEqual([0, 0, 0, 1, 0, 1]);
});

test("vertebrae: every body grows by an ellipsoid of 3 mm, the lower label first", () => {
  const task = totalSegmentatorTask("vertebrae_pp");
  const { vertebrae_L5: l5, vertebrae_L4: l4 } = task.classes as {
    vertebrae_L5: number;
    vertebrae_L4: number;
  };
  const column = spine([[2, l5], [7, l4]], 11); // prettier-ignore
  const cleaned = cleanUpVertebrae(column, task.classes);
  // 3 mm are two voxels of 1.5 mm.
  expect(alongZ(cleaned)).toEqual([l5, l5, l5, l5, l5, l4, l4, l4, l4, l4, 0]);
  const at = (x: number, z: number) => cleaned.data[x + 5 * (2 + 5 * z)];
  expect([at(1, 4), at(0, 4), at(0, 3)]).toEqual([l5, 0, l5]);
});

test("vertebrae: bodies with mixed labels are numbered along the spine", () => {
  const { classes } = totalSegmentatorTask("vertebrae_pp");
  const at = (name: string) => classes[`vertebrae_${name}`]!;
  // Three bodies of two slices; the lowest has two labels, and L5 is not there: numbers go up from the lowest label.
  const mixed = spine([[1, at("L3")], [2, at("L4")], [9, at("L2")], [10, at("L2")], [17, at("T12")], [18, at("T12")]], 20, 2); // prettier-ignore
  const numbers = alongZ(cleanUpVertebrae(mixed, classes));
  expect([numbers[1], numbers[2], numbers[10], numbers[18]]).toEqual([
    at("L4"),
    at("L4"),
    at("L3"),
    at("L2"),
  ]);
  // With C1 and without L5, numbers go down from C1.
  const head = spine([[1, at("C3")], [2, at("C4")], [9, at("C3")], [10, at("C3")], [17, at("C1")], [18, at("C1")]], 20, 2); // prettier-ignore
  const down = alongZ(cleanUpVertebrae(head, classes));
  expect([down[1], down[10], down[18]]).toEqual([at("C3"), at("C2"), at("C1")]);
  // A body below 100 mm³ is removed.
  const small = spine([[1, at("L3")], [2, at("L4")], [9, at("L2")]], 12, 0); // prettier-ignore
  expect(alongZ(cleanUpVertebrae(small, classes)).every((value) => value === 0)).toBe(true);
});

test("vertebrae: a refinement stays inside the bodies of the other network", () => {
  const column = spine([[5, 7]], 11, 0);
  const bodies = Uint8Array.from(column.data, (_, i) => (Math.floor(i / 25) >= 5 ? 1 : 2));
  // 2 mm are 1.33 voxels: the package samples the ellipsoid at -1.33, -0.33, 0.67 and 1.67.
  const refined = alongZ(refineVertebrae(column, bodies));
  expect(refined).toEqual([0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0]);
  const all = alongZ(
    refineVertebrae(
      column,
      column.data.map(() => 1),
    ),
  );
  expect(all).toEqual([0, 0, 0, 0, 7, 7, 0, 0, 0, 0, 0]);
});

/** 5 × 5 × depth voxels of 1.5 mm: in each listed slice a square of 2 · `half` + 1 voxels with a label. */
function spine(
  slices: readonly (readonly [z: number, label: number])[],
  depth: number,
  half = 1,
): LabelVolume {
  const data = new Uint8Array(25 * depth);
  for (const [z, label] of slices)
    for (let y = 2 - half; y <= 2 + half; y++)
      for (let x = 2 - half; x <= 2 + half; x++) data[x + 5 * (y + 5 * z)] = label;
  const affine = [1.5, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 1];
  return { data, size: [5, 5, depth], spacing: [1.5, 1.5, 1.5], affine };
}

/** The labels along z through the middle. */
const alongZ = ({ data }: LabelVolume) => [...data].filter((_, i) => i % 25 === 12);

test("labels far from the organs of the rough run go", () => {
  const even = (text: string) => ({ ...row(text), spacing: [4, 4, 4] as const });
  // 10 mm are two whole steps of 4 mm.
  expect(keepNear(even("3333333"), even("0001000"), [1], 10).data.join("")).toBe("0333330");
});

test("the margin of a crop is cut to whole voxels, and the box to the volume", () => {
  const labels = { ...row("00000100000"), spacing: [3, 100, 100] as const };
  expect(cropBox(labels, [1], [20, 20, 20])).toEqual({ start: [0, 0, 0], end: [1, 1, 11] });
  expect(cropBox(labels, [1], [8, 20, 20])).toEqual({ start: [0, 0, 3], end: [1, 1, 8] });
  expect(cropBox(labels, [2], [8, 20, 20])).toBeNull();
  const cropped = cropVolume(row("01234"), { start: [0, 0, 2], end: [1, 1, 4] });
  expect(cropped).toMatchObject({ size: [2, 1, 1], data: Uint8Array.of(2, 3) });
  // Voxels keep their place in the world.
  expect(cropped.affine[3]).toBe(20);
});
