import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createRandom } from "../../tasks/study/random.ts";
import { patchSource } from "../../tasks/study/training/patches.ts";
import { haveSpacing, openCases, type CaseFiles } from "../../tasks/study/training/volumes.ts";
import { writeNifti } from "../../tasks/study/volume/nifti.ts";
import { testFolder } from "../helpers/folder.ts";

let folder: string;
beforeEach(() => (folder = testFolder()));

/** Writes noise with labels 0, 300 and 7. */
async function written(id: string, size: readonly [number, number, number]): Promise<CaseFiles> {
  const random = createRandom(id);
  const count = size[0] * size[1] * size[2];
  const grid = {
    size,
    spacing: [1, 1, 2],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1],
  } as const;
  const files = { id, image: join(folder, `${id}.nii`), labels: join(folder, `${id}_labels.nii`) };
  await writeNifti(files.image, {
    ...grid,
    data: Float32Array.from({ length: count }, () => random.normal()),
  });
  const data = Uint16Array.from({ length: count }, () => [0, 300, 7][random.int(3)]!);
  await writeNifti(files.labels, { ...grid, data });
  return files;
}

const channels = new Uint8Array(65536);
channels[300] = 2;
channels[7] = 1;

test("a case gives the same patches from disk and from memory", async () => {
  const files = [await written("a", [9, 8, 7]), await written("b", [5, 12, 6])];
  const [held, disk] = [await openCases(files, channels), await openCases(files, channels, { enough: 0 })];
  expect(disk.map(({ locations }) => locations)).toEqual(held.map(({ locations }) => locations));
  const options = { batch: 2, patch: [4, 6, 6], seed: 1, augmentation: { scale: [0.8, 1.2] } } as const;
  const [a, b] = [patchSource(held, options), patchSource(disk, options)];
  for (let step = 0; step < 10; step++) {
    const batch = await b(step);
    expect(batch).toEqual(await a(step));
    expect(new Set(batch.labels)).toEqual(new Set([0, 1, 2]));
  }
});

test("image and labels of different sizes are refused, from disk and from memory", async () => {
  const [a, b] = [await written("a", [4, 4, 4]), await written("b", [4, 4, 5])];
  const mixed = [{ id: "a", image: a.image, labels: b.labels }];
  for (const enough of [0, 1e9])
    await expect(openCases(mixed, channels, { enough })).rejects.toThrow(
      /b\S*: its size 4×4×5 is not that of .*a\S*, 4×4×4/,
    );
});

test("volumes have a spacing if it fits to within half a voxel over their whole extent", async () => {
  const files = [await written("a", [9, 8, 10])];
  expect(await haveSpacing(files, [1, 1, 2])).toBe(true);
  expect(await haveSpacing(files, [1, 1, 2.09])).toBe(true);
  expect(await haveSpacing(files, [1, 1, 2.2])).toBe(false);
});
