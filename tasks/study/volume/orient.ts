/** Turns volumes to the closest RAS orientation and back: axes are permuted and flipped, never interpolated. */
import { type Triple, zerosLike } from "../arrays.ts";
import { affineOf, apply, column, length } from "./affine.ts";
import type { Grid, Volume, VoxelArray } from "./volume.ts";

/** For each stored axis: the world axis (0 right, 1 anterior, 2 superior) it is closest to, and which way it runs. */
export interface Orientation {
  readonly axes: Triple;
  readonly signs: Triple;
}

/** Stored axes find their world axes one after the other, the pair with the greatest direction cosine first. */
export function orientationOf(affine: readonly number[]): Orientation {
  const cosines = [0, 1, 2].flatMap((stored) => {
    const c = column(affine, stored);
    return c.map((value, world) => ({ stored, world, value: value / length(c) }));
  });
  cosines.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const axes = [-1, -1, -1];
  const signs = [1, 1, 1];
  for (const { stored, world, value } of cosines) {
    if (axes[stored] !== -1 || axes.includes(world)) continue;
    axes[stored] = world;
    signs[stored] = value < 0 ? -1 : 1;
  }
  return { axes: axes as unknown as Triple, signs: signs as unknown as Triple };
}

/** Which way each stored axis grows: "RAS", "LPS", "PIR", … */
export function orientationCode(affine: readonly number[]): string {
  const { axes, signs } = orientationOf(affine);
  return axes.map((world, stored) => (signs[stored]! > 0 ? "RAS" : "LPI")[world]).join("");
}

/**
 * The volume with its axes in the closest RAS order. One that has it already is returned as it is. Where the spacing
 * contradicts the affine, a turned volume's spacing follows the affine, as in nibabel.
 */
export function toCanonical<D extends VoxelArray>(volume: Volume<D>): Volume<D> {
  return turn(volume, orientationOf(volume.affine));
}

/**
 * The volume, which is in canonical order, with its axes as those of `original`: undoes toCanonical(original) for
 * anything on that grid, and then has exactly its spacing and affine.
 */
export function fromCanonical<D extends VoxelArray>(volume: Volume<D>, original: Grid): Volume<D> {
  return turnBack(volume, orientationOf(original.affine), original);
}

/** The volume with its axes in the order left-right, back-front, foot-head, each running the way it is stored. */
export function toAxial<D extends VoxelArray>(volume: Volume<D>): Volume<D> {
  return turn(volume, { ...orientationOf(volume.affine), signs: [1, 1, 1] });
}

/** Undoes toAxial(original), as fromCanonical undoes toCanonical. */
export function fromAxial<D extends VoxelArray>(volume: Volume<D>, original: Grid): Volume<D> {
  return turnBack(volume, { ...orientationOf(original.affine), signs: [1, 1, 1] }, original);
}

function turnBack<D extends VoxelArray>(
  volume: Volume<D>,
  { axes, signs }: Orientation,
  original: Grid,
): Volume<D> {
  const inverse = [0, 1, 2].map((world) => axes.indexOf(world)) as unknown as Triple;
  const turned = turn(volume, {
    axes: inverse,
    signs: inverse.map((stored) => signs[stored]!) as unknown as Triple,
  });
  const sameGrid =
    turned.size.every((n, axis) => n === original.size[axis]) &&
    turned.affine.every(
      (value, i) => Math.abs(value - original.affine[i]!) < 1e-6 * Math.max(1, Math.abs(value)),
    );
  return sameGrid ? { ...turned, spacing: original.spacing, affine: original.affine } : turned;
}

/** Stored axis i becomes axis axes[i], flipped where its sign is -1. */
function turn<D extends VoxelArray>(volume: Volume<D>, { axes, signs }: Orientation): Volume<D> {
  if (axes.every((world, stored) => world === stored) && signs.every((sign) => sign > 0)) return volume;
  const { data, size, spacing, affine } = volume;
  const strides = [1, size[0], size[0] * size[1]];
  const from = [0, 1, 2].map((target) => axes.indexOf(target));
  const newSize = from.map((stored) => size[stored]!) as [number, number, number];
  const steps = from.map((stored) => strides[stored]! * signs[stored]!) as [number, number, number];
  const corner = [0, 1, 2].map((stored) => (signs[stored]! < 0 ? size[stored]! - 1 : 0)) as [
    number,
    number,
    number,
  ];
  const start = corner.reduce((sum, index, stored) => sum + index * strides[stored]!, 0);

  const turned = zerosLike(data);
  let to = 0;
  for (let z = 0; z < newSize[2]; z++) {
    for (let y = 0; y < newSize[1]; y++) {
      let p = start + z * steps[2] + y * steps[1];
      for (let x = 0; x < newSize[0]; x++, p += steps[0]) turned[to++] = data[p]!;
    }
  }
  const spacingOf = (stored: number) => {
    const step = length(column(affine, stored));
    return Math.abs(step - spacing[stored]!) < 1e-4 * step ? spacing[stored]! : step;
  };
  const columns = from.map((stored) => column(affine, stored).map((v) => v * signs[stored]! + 0));
  return {
    data: turned,
    size: newSize,
    spacing: from.map((stored) => spacingOf(stored)) as [number, number, number],
    affine: affineOf(columns as unknown as [Triple, Triple, Triple], apply(affine, corner)),
  };
}
