/** Checks where volumes lie: an image and its labels on the same grid, axes at right angles. */
import { columns, cosine, length } from "./affine.ts";
import type { Volume } from "./volume.ts";

type Grid = Pick<Volume, "size" | "affine">;

/**
 * Throws an Error unless both grids have the same size and the same affine: directions and spacing to within
 * `tolerance` times a voxel's edge, the origin to within `tolerance` voxels.
 */
export function requireSameGrid(
  a: Grid & { readonly name: string },
  b: Grid & { readonly name: string },
  tolerance = 1e-3,
): void {
  if (a.size.some((n, axis) => n !== b.size[axis])) {
    throw new Error(`${b.name}: its size ${b.size.join("×")} is not that of ${a.name}, ${a.size.join("×")}`);
  }
  const edges = columns(a.affine).map(length);
  const limit = tolerance * Math.min(...edges);
  const differences = a.affine.map((value, i) => Math.abs(value - b.affine[i]!));
  const worst = Math.max(...differences);
  if (!(worst <= limit)) {
    throw new Error(
      `${b.name}: its affine is not that of ${a.name}; the greatest difference is ${worst.toPrecision(3)} mm`,
    );
  }
}

/**
 * Throws an Error unless the axes are at right angles, to within `tolerance` in the cosine, and as long as the spacing
 * says.
 */
export function requireOrthogonal(
  grid: Pick<Volume, "affine" | "spacing"> & { readonly name: string },
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
  steps.forEach((c, axis) => {
    const [step, spacing] = [length(c), grid.spacing[axis]!];
    if (Math.abs(step - spacing) > tolerance * spacing) {
      throw new Error(
        `${grid.name}: its spacing along ${"xyz"[axis]} is ${spacing} mm, but its affine steps ${step.toPrecision(6)} mm`,
      );
    }
  });
}
