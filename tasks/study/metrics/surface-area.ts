/**
 * Areas of DeepMind's surface elements. An element is the part of a mask's surface between eight neighbouring voxels;
 * its area depends on which of them are in the mask.
 * Source: google-deepmind/surface-distance surface_distance/lookup_tables.py (the figures). The table differs from the
 * usual marching-cubes tables and cannot be derived from them.
 */
import type { Triple } from "../arrays.ts";

/** Lengths along x, y, z. */
export type Spacing = Triple;

/**
 * The area of each of the 256 neighbour codes, in the square of the spacing's unit. A code has the bit
 * 128 >> (4·x + 2·y + z) if voxel (x, y, z) of the 2×2×2 cube is in the mask. An element's area is the sum of
 * √((a·sy·sz)² + (b·sx·sz)² + (c·sx·sy)²) over its triangles, whose normals are (a, b, c).
 */
export function surfaceAreas([sx, sy, sz]: Spacing): Float64Array {
  const areas = new Float64Array(256);
  normals.forEach((triangles, code) => {
    for (const [a, b, c] of triangles) {
      areas[code]! += Math.hypot((a / 8) * sy * sz, (b / 8) * sx * sz, (c / 8) * sx * sy);
    }
  });
  return areas;
}

type Normal = readonly [number, number, number];

/** One code of each symmetry class, and its triangles' normals times 8 (signs do not matter). */
// prettier-ignore
const representatives: readonly (readonly [code: number, triangles: readonly Normal[]])[] = [
  [1, [[1, 1, 1]]],
  [3, [[2, 2, 0], [2, 2, 0]]],
  [6, [[1, 1, 1], [1, 1, 1]]],
  [7, [[1, 1, 1], [2, 2, 2], [4, 0, 0]]],
  [15, [[4, 0, 0], [4, 0, 0]]],
  [22, [[1, 1, 1], [1, 1, 1], [1, 1, 1]]],
  [23, [[1, 1, 1], [1, 1, 1], [2, 2, 2], [2, 2, 2]]],
  [24, [[1, 1, 1], [1, 1, 1]]],
  [25, [[0, 2, 2], [0, 2, 2], [1, 1, 1]]],
  [27, [[0, 2, 2], [1, 1, 1], [2, 0, 2], [3, 3, 3]]],
  [30, [[1, 1, 1], [1, 1, 1], [2, 2, 2], [4, 0, 0]]],
  [60, [[2, 2, 0], [2, 2, 0], [2, 2, 0], [2, 2, 0]]],
  [105, [[1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]],
];

/** The triangles of each code: those of its representative, turned with the cube. A complement has the same ones. */
const normals: readonly (readonly Normal[])[] = allNormals();

function allNormals(): (readonly Normal[])[] {
  const table: (readonly Normal[])[] = Array.from({ length: 256 }, () => []);
  const permutations = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  for (const [code, triangles] of representatives) {
    for (const order of permutations) {
      const turned = triangles.map((n) => order.map((axis) => n[axis]) as unknown as Normal);
      for (let flips = 0; flips < 8; flips++) {
        const image = turnCode(code, order, flips);
        table[image] = turned;
        table[255 - image] = turned;
      }
    }
  }
  return table;
}

/** The code of the turned cube: its axis i is the old axis order[i], reversed if `flips` has bit i. */
function turnCode(code: number, order: readonly number[], flips: number): number {
  let image = 0;
  for (let voxel = 0; voxel < 8; voxel++) {
    const at = [voxel >> 2, (voxel >> 1) & 1, voxel & 1].map((bit, axis) => bit ^ ((flips >> axis) & 1));
    const old = [0, 0, 0];
    order.forEach((from, axis) => (old[from] = at[axis]!));
    if (code & (128 >> (4 * old[0]! + 2 * old[1]! + old[2]!))) image |= 128 >> voxel;
  }
  return image;
}
