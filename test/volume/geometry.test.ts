import { expect, test } from "vitest";
import { requireRightAngles, requireSameGrid } from "../../tasks/study/volume/geometry.ts";
import { fromCanonical, orientationCode, toCanonical } from "../../tasks/study/volume/orient.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";

const grid = {
  name: "ct.nii",
  size: [4, 5, 6],
  spacing: [1, 1, 2],
  affine: [-1, 0, 0, 10, 0, -1, 0, 20, 0, 0, 2, -30, 0, 0, 0, 1],
} as const;

const moved = (changes: Record<number, number>) => grid.affine.map((v, i) => v + (changes[i] ?? 0));

test("grids agree to a hundredth of a voxel, also at the far corner", () => {
  const labels = (changes: Record<number, number>) => ({
    ...grid,
    name: "labels.nii",
    affine: moved(changes),
  });
  expect(() => requireSameGrid(grid, labels({}))).not.toThrow();
  expect(() => requireSameGrid(grid, labels({ 3: 0.009 }))).not.toThrow();
  expect(() => requireSameGrid(grid, labels({ 3: 0.011 }))).toThrow(
    "labels.nii: its voxels lie up to 0.0110 mm from those of ct.nii, which is more than 0.01 of a voxel",
  );
  expect(() => requireSameGrid(grid, labels({ 3: 0.011 }), 0.02)).not.toThrow();
  // A step of 0.003 mm too much makes 0.015 mm at the sixth slice.
  expect(() => requireSameGrid(grid, labels({ 10: 0.003 }))).toThrow("up to 0.0150 mm");
  expect(() => requireSameGrid(grid, { ...grid, name: "labels.nii", size: [4, 5, 7] })).toThrow(
    "labels.nii: its size 4×5×7 is not that of ct.nii, 4×5×6",
  );
});

test("axes that are not at right angles are refused", () => {
  expect(() => requireRightAngles(grid)).not.toThrow();
  expect(() => requireRightAngles({ ...grid, affine: moved({ 1: 0.1 }) })).toThrow(
    /ct\.nii: its axes x and y are at 84\.29°|ct\.nii: its axes x and y are at 95\.71°/,
  );
});

test("a volume can be turned to RAS and back", () => {
  const volume: Volume = {
    ...grid,
    data: Uint8Array.from({ length: 120 }, (_, i) => i),
    affine: [0, 0, -2, 10, 1, 0, 0, 20, 0, -1, 0, -30, 0, 0, 0, 1],
  };
  expect(orientationCode(volume.affine)).toBe("AIL");
  const canonical = toCanonical(volume);
  expect(canonical.size).toEqual([6, 4, 5]);
  expect(canonical.spacing).toEqual([2, 1, 1]);
  expect(canonical.affine).toEqual([2, 0, 0, 0, 0, 1, 0, 20, 0, 0, 1, -34, 0, 0, 0, 1]);
  // In RAS order the first voxel is the leftmost, hindmost and lowest: the end of the second and third stored axis.
  expect(canonical.data[0]).toBe(4 * 4 + 20 * 5);
  const { data, size, spacing, affine } = volume;
  expect(fromCanonical(canonical, volume)).toEqual({ data, size, spacing, affine });
});
