/**
 * Crops images to their non-zero part, which is nnU-Net's first step.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/cropping/cropping.py.
 */
import { type Shape, type TypedArray, zerosLike } from "../arrays.ts";

/** A half-open box: start ≤ index < end along each axis. */
export interface Box {
  readonly start: Shape;
  readonly end: Shape;
}

/** The box around all voxels at which any channel is not zero; the whole array if there are none. */
export function nonZeroBox(channels: readonly ArrayLike<number>[], shape: Shape): Box {
  const start = [...shape] as [number, number, number];
  const end: [number, number, number] = [0, 0, 0];
  const columns = shape[2];
  for (let z = 0, row = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++, row += columns) {
      for (const channel of channels) {
        let first = 0;
        while (first < columns && channel[row + first] === 0) first++;
        if (first === columns) continue;
        let last = columns - 1;
        while (channel[row + last] === 0) last--;
        for (const [axis, low, high] of [
          [0, z, z],
          [1, y, y],
          [2, first, last],
        ] as const) {
          start[axis] = Math.min(start[axis], low);
          end[axis] = Math.max(end[axis], high + 1);
        }
      }
    }
  }
  return end[0] === 0 ? { start: [0, 0, 0], end: shape } : { start, end };
}

/** 1 where any channel is not zero and in holes: zeros that the border cannot reach through faces of zeros. Else 0. */
export function insideOf(channels: readonly ArrayLike<number>[], shape: Shape): Uint8Array {
  const inside = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const channel of channels) {
    for (let i = 0; i < inside.length; i++) if (channel[i] !== 0) inside[i] = 1;
  }
  fillHoles(inside, shape);
  return inside;
}

/** The box's lengths along the axes. */
export function boxShape({ start, end }: Box): Shape {
  return [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
}

/** A copy of the part of `data`, of shape `shape`, that lies in the box. */
export function cropArray<T extends TypedArray>(data: T, shape: Shape, box: Box): T {
  const length = boxShape(box);
  const result = zerosLike(data, length[0] * length[1] * length[2]);
  eachRow(shape, box, (from, to) => result.set(data.subarray(from, from + length[2]), to));
  return result;
}

/** Writes a cropped array back into its box of `target`, of shape `shape`. */
export function pasteArray<T extends TypedArray>(data: T, target: T, shape: Shape, box: Box): void {
  const length = boxShape(box);
  eachRow(shape, box, (to, from) => target.set(data.subarray(from, from + length[2]), to));
}

/** Calls `visit` with the index of each row's beginning, in the whole array and in the box. */
function eachRow(shape: Shape, { start, end }: Box, visit: (inWhole: number, inBox: number) => void): void {
  let inBox = 0;
  for (let z = start[0]; z < end[0]; z++) {
    for (let y = start[1]; y < end[1]; y++) {
      visit(start[2] + shape[2] * (y + shape[1] * z), inBox);
      inBox += end[2] - start[2];
    }
  }
}

/**
 * Fills holes with 1. It marks the zeros that the border reaches, one run of a row at a time; other zeros are holes.
 */
function fillHoles(inside: Uint8Array, [nz, ny, nx]: Shape): void {
  const OUTSIDE = 2;
  const plane = ny * nx;
  const open: number[] = [];
  /** Adds the first voxel of each run of zeros within [from, to). */
  const reach = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (inside[i] === 0 && (i === from || inside[i - 1] !== 0)) open.push(i);
  };
  for (let z = 0, row = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++, row += nx) {
      if (z === 0 || z === nz - 1 || y === 0 || y === ny - 1) reach(row, row + nx);
      reach(row, row + 1);
      reach(row + nx - 1, row + nx);
    }
  }
  while (open.length > 0) {
    const seed = open.pop()!;
    if (inside[seed] !== 0) continue;
    const row = seed - (seed % nx);
    let [from, to] = [seed, seed + 1];
    while (from > row && inside[from - 1] === 0) from--;
    while (to < row + nx && inside[to] === 0) to++;
    inside.fill(OUTSIDE, from, to);
    const y = Math.floor(row / nx) % ny;
    if (y > 0) reach(from - nx, to - nx);
    if (y < ny - 1) reach(from + nx, to + nx);
    if (row >= plane) reach(from - plane, to - plane);
    if (row + plane < inside.length) reach(from + plane, to + plane);
  }
  for (let i = 0; i < inside.length; i++) inside[i] = inside[i] === OUTSIDE ? 0 : 1;
}
