import { expect, test } from "vitest";
import { inThirds, isVeryLarge } from "../../tasks/study/inference/thirds.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";

test("volumes of more than 512·512·900 voxels and 200 slices are cut", () => {
  expect(isVeryLarge([512, 512, 900])).toBe(false);
  expect(isVeryLarge([512, 512, 901])).toBe(true);
  expect(isVeryLarge([2000, 2000, 200])).toBe(false);
});

test("parts overlap as in TotalSegmentator; each one fills its own slices", async () => {
  // Each voxel holds the number of its slice.
  const data = Int32Array.from({ length: 2 * 250 }, (_, i) => Math.floor(i / 2));
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const volume: Volume = { data, size: [2, 1, 250], spacing: [1, 1, 1], affine };
  const parts: [first: number, end: number, slices: number][] = [];
  const glued = await inThirds(volume, (part) => {
    parts.push([part.data[0]!, part.data.at(-1)! + 1, part.size[2]]);
    const number = parts.length * 64;
    return Promise.resolve({ ...part, data: Uint8Array.from(part.data, (slice) => number + (slice % 64)) });
  });
  // A third is 83 slices. In numpy's notation the parts are [0:103], [64:186] and [147:250].
  expect(parts).toEqual([
    [0, 103, 103],
    [64, 186, 122],
    [147, 250, 103],
  ]);
  const expected = data.map((slice) => 64 * (slice < 83 ? 1 : slice < 166 ? 2 : 3) + (slice % 64));
  expect([...glued.data]).toEqual([...expected]);
  expect([glued.size, glued.affine]).toEqual([volume.size, affine]);
});
