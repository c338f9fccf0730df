/** Checks where volumes lie: an image and its labels on the same grid, axes at right angles. */
import type { Triple } from "../arrays.ts";
import { apply, columns, cosine, length } from "./affine.ts";
import type { Volume } from "./volume.ts";

type Grid = Pick<Volume, "size" | "affine">;

/**
 * Throws an Error that names both volumes unless they have the same size and each voxel of one lies within `tolerance`
 * of its counterpart in the other. The unit of the tolerance is the shortest edge of a voxel.
 */
export function requireSameGrid(
  a: Grid & { readonly name: string },
  b: Grid & { readonly name: string },
  tolerance = 0.01,
): void {
  if (a.size.some((n, axis) => n !== b.size[axis])) {
    throw new Error(`${b.name}: its size ${b.size.join("×")} is not that of ${a.name}, ${a.size.join("×")}`);
  }
  const limit = tolerance * Math.min(...columns(a.affine).map(length));
  // The greatest distance is at a corner, because the difference of two affines is affine.
  const worst = Math.max(
    ...cornersOf(a.size).map((corner) => distance(apply(a.affine, corner), apply(b.affine, corner))),
  );
  if (!(worst <= limit)) {
    throw new Error(
      `${b.name}: its voxels lie up to ${worst.toPrecision(3)} mm from those of ${a.name}, which is more than ${tolerance} of a voxel`,
    );
  }
}

function cornersOf(size: Triple): Triple[] {
  const ends = (axis: 0 | 1 | 2) => [0, size[axis] - 1];
  return ends(2).flatMap((z) => ends(1).flatMap((y) => ends(0).map((x): Triple => [x, y, z])));
}

function distance(a: Triple, b: Triple): number {
  return length([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
}

/** Throws an Error unless the axes are at right angles, to within `tolerance` in the cosine. */
export function requireRightAngles(
  grid: Pick<Volume, "affine"> & { readonly name: string },
  tolerance = 1e-3,
): void {
  const steps = columns(grid.affine);
  for (const [i, j] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const cos = cosine(steps[i], steps[j]);
    if (Math.abs(cos) > tolerance) {
      const angle = (Math.acos(cos) * 180) / Math.PI;
      throw new Error(
        `${grid.name}: its axes ${"xyz"[i]} and ${"xyz"[j]} are at ${angle.toFixed(2)}°, not at right angles`,
      );
    }
  }
}
