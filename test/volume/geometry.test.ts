import { expect, test } from "vitest";
import { requireOrthogonal, requireSameGrid } from "../../tasks/study/volume/geometry.ts";
import { fromCanonical, orientationCode, toCanonical } from "../../tasks/study/volume/orient.ts";
import type { Volume } from "../../tasks/study/volume/volume.ts";

const grid = {
  name: "ct.nii",
  size: [4, 5, 6],
  spacing: [1, 1, 2],
  affine: [-1, 0, 0, 10, 0, -1, 0, 20, 0, 0, 2, -30, 0, 0, 0, 1],
} as const;

const moved = (changes: Record<number, number>) => grid.affine.map((v, i) => v + (changes[i] ?? 0));

test("grids agree to a thousandth of a voxel", () => {
  const labels = (changes: Record<number, number>) => ({
    ...grid,
    name: "labels.nii",
    affine: moved(changes),
  });
  expect(() => requireSameGrid(grid, labels({}))).not.toThrow();
  expect(() => requireSameGrid(grid, labels({ 3: 0.0009 }))).not.toThrow();
  expect(() => requireSameGrid(grid, labels({ 3: 0.0011 }))).toThrow(
    "labels.nii: its affine is not that of ct.nii; the greatest difference is 0.00110 mm",
  );
  expect(() => requireSameGrid(grid, { ...grid, name: "labels.nii", size: [4, 5, 7] })).toThrow(
    "labels.nii: its size 4×5×7 is not that of ct.nii, 4×5×6",
  );
});

test("axes that are not at right angles are refused, and a spacing that contradicts the affine", () => {
  expect(() => requireOrthogonal(grid)).not.toThrow();
  expect(() => requireOrthogonal({ ...grid, affine: moved({ 1: 0.1 }) })).toThrow(
    /ct\.nii: its axes x and y are at 84\.29°|ct\.nii: its axes x and y are at 95\.71°/,
  );
  expect(() => requireOrthogonal({ ...grid, spacing: [1, 1, 2.5] })).toThrow(
    "its spacing along z is 2.5 mm, but its affine steps 2.00000 mm",
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
