/** Turns volumes to the closest RAS orientation and back. It permutes and flips axes and never interpolates. */
import { type Triple, zerosLike } from "../arrays.ts";
import { affineOf, apply, column, length } from "./affine.ts";
import type { Grid, Volume, VoxelArray } from "./volume.ts";

/**
 * For each stored axis: the closest world axis (0 right, 1 anterior, 2 superior), and its direction (1 or -1) along it.
 */
export interface Orientation {
  readonly axes: Triple;
  readonly signs: Triple;
}

/** Assigns world axes to stored axes; the pair with the greatest direction cosine comes first. */
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

/** The direction in which each stored axis grows: "RAS", "LPS", "PIR", … */
export function orientationCode(affine: readonly number[]): string {
  const { axes, signs } = orientationOf(affine);
  return axes.map((world, stored) => (signs[stored]! > 0 ? "RAS" : "LPI")[world]).join("");
}

/**
 * The volume with its axes in the closest RAS order, or the same object if they are in that order already.
 */
export function toCanonical<D extends VoxelArray>(volume: Volume<D>): Volume<D> {
  return turn(volume, orientationOf(volume.affine));
}

/**
 * Undoes toCanonical(original) for a volume in canonical order on the same grid. The result has exactly the spacing and
 * the affine of `original`.
 */
export function fromCanonical<D extends VoxelArray>(volume: Volume<D>, original: Grid): Volume<D> {
  return turnBack(volume, orientationOf(original.affine), original);
}

/** The volume with its axes in the order left-right, back-front, foot-head. No axis changes its direction. */
export function toAxial<D extends VoxelArray>(volume: Volume<D>): Volume<D> {
  return turn(volume, { ...orientationOf(volume.affine), signs: [1, 1, 1] });
}

/** Undoes toAxial(original) as fromCanonical undoes toCanonical. */
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

/** Makes stored axis i axis axes[i], and flips it if signs[i] is -1. */
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
