/**
 * Crops images to where they are not zero, as nnU-Net does before anything else.
 * Reference: MIC-DKFZ/nnUNet nnunetv2/preprocessing/cropping/cropping.py.
 */
import type { Shape } from "./resize.ts";

/** Half-open along each axis: start ≤ index < end. */
export interface Box {
  readonly start: Shape;
  readonly end: Shape;
}

export interface NonZero {
  /** Around every voxel that is inside; the whole array if none is. */
  readonly box: Box;
  /** 1 where any channel is not zero, and in the holes of that, over the whole array. */
  readonly inside: Uint8Array;
}

/** A hole is what the outside cannot reach through faces of zero voxels. */
export function nonZero(channels: readonly ArrayLike<number>[], shape: Shape): NonZero {
  const inside = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (const channel of channels) {
    for (let i = 0; i < inside.length; i++) if (channel[i] !== 0) inside[i] = 1;
  }
  // The hull of the voxels does not change by filling holes.
  const box = boxOf(inside, shape);
  fillHoles(inside, shape);
  return { box, inside };
}

export function boxShape({ start, end }: Box): Shape {
  return [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
}

type AnyArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array | Float64Array;

export function cropArray<T extends AnyArray>(data: T, shape: Shape, box: Box): T {
  const length = boxShape(box);
  const result = new (data.constructor as new (n: number) => T)(length[0] * length[1] * length[2]);
  eachRow(shape, box, (from, to) => result.set(data.subarray(from, from + length[2]), to));
  return result;
}

/** Puts a cropped array back into `target`, which has the shape `shape`. */
export function pasteArray<T extends AnyArray>(data: T, target: T, shape: Shape, box: Box): void {
  const length = boxShape(box);
  eachRow(shape, box, (to, from) => target.set(data.subarray(from, from + length[2]), to));
}

/** Calls back with where each row of the box begins in the whole array and in the box. */
function eachRow(shape: Shape, { start, end }: Box, visit: (inWhole: number, inBox: number) => void): void {
  let inBox = 0;
  for (let z = start[0]; z < end[0]; z++) {
    for (let y = start[1]; y < end[1]; y++) {
      visit(start[2] + shape[2] * (y + shape[1] * z), inBox);
      inBox += end[2] - start[2];
    }
  }
}

function boxOf(inside: Uint8Array, shape: Shape): Box {
  const start = [...shape] as [number, number, number];
  const end: [number, number, number] = [0, 0, 0];
  for (let z = 0, row = 0; z < shape[0]; z++) {
    for (let y = 0; y < shape[1]; y++, row += shape[2]) {
      const line = inside.subarray(row, row + shape[2]);
      const first = line.indexOf(1);
      if (first < 0) continue;
      const place = [z, y, first];
      const last = [z, y, line.lastIndexOf(1)];
      for (let axis = 0; axis < 3; axis++) {
        start[axis] = Math.min(start[axis]!, place[axis]!);
        end[axis] = Math.max(end[axis]!, last[axis]! + 1);
      }
    }
  }
  return end[0] === 0 ? { start: [0, 0, 0], end: shape } : { start, end };
}

/** Marks what the border reaches through zeros; every zero that is left is a hole. */
function fillHoles(inside: Uint8Array, [nz, ny, nx]: Shape): void {
  const OUTSIDE = 2;
  const open: number[] = [];
  const reach = (i: number) => {
    if (inside[i] === 0) {
      inside[i] = OUTSIDE;
      open.push(i);
    }
  };
  const plane = ny * nx;
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const row = nx * (y + ny * z);
      const step = z === 0 || z === nz - 1 || y === 0 || y === ny - 1 ? 1 : Math.max(1, nx - 1);
      for (let x = 0; x < nx; x += step) reach(row + x);
    }
  }
  while (open.length > 0) {
    const i = open.pop()!;
    const x = i % nx;
    const y = Math.floor(i / nx) % ny;
    if (x > 0) reach(i - 1);
    if (x < nx - 1) reach(i + 1);
    if (y > 0) reach(i - nx);
    if (y < ny - 1) reach(i + nx);
    if (i >= plane) reach(i - plane);
    if (i + plane < inside.length) reach(i + plane);
  }
  for (let i = 0; i < inside.length; i++) inside[i] = inside[i] === OUTSIDE ? 0 : 1;
}
