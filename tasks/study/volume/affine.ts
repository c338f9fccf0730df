/** Row-major 4×4 affine matrices, from voxel indices to RAS+ millimetres, and the quaternions of NIfTI's qform. */
import type { Triple } from "../arrays.ts";

/**
 * NIfTI's qform: the quaternion's b, c, d (a follows from them), the third axis's sign, the first voxel's place in mm.
 */
export interface QForm {
  readonly quaternion: Triple;
  /** -1 if the third axis is reversed after the rotation, else 1. */
  readonly qfac: 1 | -1;
  readonly offset: Triple;
}

/** The matrix with the given columns (the step of each voxel axis in mm) and origin (mm). */
export function affineOf(columns: readonly [Triple, Triple, Triple], origin: Triple): number[] {
  const [i, j, k] = columns;
  return [0, 1, 2].flatMap((r) => [i[r]!, j[r]!, k[r]!, origin[r]!]).concat(0, 0, 0, 1);
}

/** The step of voxel axis 0, 1 or 2, in mm. */
export function column(affine: readonly number[], axis: number): [number, number, number] {
  return [affine[axis]!, affine[4 + axis]!, affine[8 + axis]!];
}

/** The steps of the three voxel axes, in mm. */
export function columns(affine: readonly number[]): [Triple, Triple, Triple] {
  return [column(affine, 0), column(affine, 1), column(affine, 2)];
}

/** The world position (RAS+ mm) of a voxel index, which may be fractional. */
export function apply(affine: readonly number[], [x, y, z]: Triple): [number, number, number] {
  const at = (r: number) => affine[r]! * x + affine[r + 1]! * y + affine[r + 2]! * z + affine[r + 3]!;
  return [at(0), at(4), at(8)];
}

/** Euclidean length, in the unit of the components. */
export function length([a, b, c]: Triple): number {
  return Math.hypot(a, b, c);
}

/** Cosine of the angle between two columns. */
export function cosine(a: Triple, b: Triple): number {
  return (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) / (length(a) * length(b));
}

/** The determinant of the matrix after each column is scaled to length 1; 0 if it cannot be inverted. */
export function volumeOfDirections(affine: readonly number[]): number {
  const [a, b, c] = columns(affine);
  const determinant =
    a[0] * (b[1] * c[2] - b[2] * c[1]) -
    b[0] * (a[1] * c[2] - a[2] * c[1]) +
    c[0] * (a[1] * b[2] - a[2] * b[1]);
  return determinant / (length(a) * length(b) * length(c));
}

/**
 * Returns the matrix. Throws an Error unless its numbers are finite and its axes span space.
 * @param name what states the matrix, as "the sform"
 */
export function requireAxes(affine: number[], name: string): number[] {
  if (!affine.every(Number.isFinite)) throw new Error(`${name} has numbers that are not finite`);
  const volume = volumeOfDirections(affine);
  if (!(Math.abs(volume) > 1e-6)) {
    throw new Error(`${name} is singular: its axes do not span space, so voxels have no place in it`);
  }
  return affine;
}

/**
 * The matrix of a qform, in double precision.
 * @param spacing millimetres along x, y, z
 * @throws RangeError if b² + c² + d² exceeds 1 by more than rounding
 * Source: nifti1.h, method 2.
 */
export function affineOfQForm({ quaternion: [b, c, d], qfac, offset }: QForm, spacing: Triple): number[] {
  const rest = 1 - (b * b + c * c + d * d);
  if (rest < -3 * 2 ** -23)
    throw new RangeError(`the qform is no rotation: b² + c² + d² is ${1 - rest}, more than 1`);
  const a = Math.sqrt(Math.max(0, rest));
  const [sx, sy, sz] = [spacing[0], spacing[1], spacing[2] * qfac];
  return affineOf(
    [
      [(a * a + b * b - c * c - d * d) * sx, 2 * (b * c + a * d) * sx, 2 * (b * d - a * c) * sx],
      [2 * (b * c - a * d) * sy, (a * a + c * c - b * b - d * d) * sy, 2 * (c * d + a * b) * sy],
      [2 * (b * d + a * c) * sz, 2 * (c * d - a * b) * sz, (a * a + d * d - b * b - c * c) * sz],
    ],
    offset,
  );
}

/** The qform of a matrix. Null unless its columns are orthogonal (no shear) and as long as `spacing` says. */
export function qFormOf(affine: readonly number[], spacing: Triple): QForm | null {
  const steps = columns(affine);
  const [i, j, k] = steps;
  const fits = steps.every((c, axis) => Math.abs(length(c) - spacing[axis]!) <= 1e-5 * spacing[axis]!);
  if (!fits || [cosine(i, j), cosine(i, k), cosine(j, k)].some((cos) => Math.abs(cos) > 1e-5)) return null;
  const qfac = volumeOfDirections(affine) < 0 ? -1 : 1;
  const [r0, r1, r2] = steps.map((c, axis) => {
    const scale = (axis === 2 ? qfac : 1) / length(c);
    return c.map((v) => v * scale);
  }) as [number[], number[], number[]];
  const [m00, m10, m20] = r0 as [number, number, number];
  const [m01, m11, m21] = r1 as [number, number, number];
  const [m02, m12, m22] = r2 as [number, number, number];
  // Take the largest of the four components from the diagonal and divide by it for the others.
  const squares = [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]!);
  const [a, b, c, d] = (
    [
      [s / 4, (m21 - m12) / s, (m02 - m20) / s, (m10 - m01) / s],
      [(m21 - m12) / s, s / 4, (m01 + m10) / s, (m02 + m20) / s],
      [(m02 - m20) / s, (m01 + m10) / s, s / 4, (m12 + m21) / s],
      [(m10 - m01) / s, (m02 + m20) / s, (m12 + m21) / s, s / 4],
    ] as const
  )[largest]!;
  const sign = a < 0 ? -1 : 1;
  return { quaternion: [b * sign, c * sign, d * sign], qfac, offset: [affine[3]!, affine[7]!, affine[11]!] };
}
