/** Paints a patient into voxels: Hounsfield units as a scanner sees them, and labels as an annotator draws them. */
import type { Random } from "../random.ts";
import { structures, trunk, type Structure } from "./anatomy.ts";
import type { Body } from "./shapes.ts";
import type { Patient } from "./vary.ts";

/** Voxel centres along x, y, z in the patient's life-size millimetres (RAS+), in the order of the volume's axes. */
export interface VoxelCentres {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
}

export interface Scanner {
  /** Standard deviation in Hounsfield units. */
  readonly noise: number;
  /** Standard deviation of the Gaussian point spread, in voxels. */
  readonly blur: number;
}

export interface Annotator {
  /** Life-size millimetres by which every contour is too wide; negative: too tight. */
  readonly grow: number;
  /** Standard deviation of a further offset, which is drawn for each organ in each axial slice. */
  readonly wobble: number;
}

/** Rounded Hounsfield units of each voxel, x fastest. */
export function scan(
  patient: Patient,
  grid: VoxelCentres,
  present: Present,
  scanner: Scanner,
  random: Random,
): Int16Array {
  const ideal = new Float32Array(grid.x.length * grid.y.length * grid.z.length).fill(-1000);
  for (const structure of [...trunk, ...structures.filter(present)]) {
    fill(ideal, patient.hu(structure), patient.bodies(structure, 0), grid);
  }
  const seen = blur(ideal, grid, scanner.blur);
  return Int16Array.from(seen, (hu) =>
    Math.max(-1024, Math.min(3071, Math.round(hu + scanner.noise * random.normal()))),
  );
}

/**
 * The label value of each voxel, x fastest. `valueOf` gives a structure's label, or 0 if it is not annotated. A
 * structure without a label still covers the structures behind it.
 */
export function annotate(
  patient: Patient,
  grid: VoxelCentres,
  present: Present,
  valueOf: (structure: Structure) => number,
  annotator: Annotator,
  random: Random,
): Uint8Array {
  const labels = new Uint8Array(grid.x.length * grid.y.length * grid.z.length);
  const most = Math.max(0, annotator.grow + 3 * annotator.wobble);
  for (const structure of structures.filter(present)) {
    const value = valueOf(structure);
    const hand = random.fork(structure.name);
    const offsets = Float64Array.from(grid.z, () =>
      value === 0 ? 0 : annotator.grow + annotator.wobble * Math.max(-3, Math.min(3, hand.normal())),
    );
    fill(labels, value, patient.bodies(structure, most), grid, offsets);
  }
  return labels;
}

type Present = (structure: Structure) => boolean;

function fill(
  target: Float32Array | Uint8Array,
  value: number,
  bodies: readonly Body[],
  grid: VoxelCentres,
  offsets?: Float64Array,
): void {
  const [nx, ny] = [grid.x.length, grid.y.length];
  for (const body of bodies) {
    const [xs, ys, zs] = [within(grid.x, body, 0), within(grid.y, body, 1), within(grid.z, body, 2)];
    for (const k of zs) {
      const offset = offsets?.[k] ?? 0;
      for (const j of ys) {
        const row = nx * (j + ny * k);
        for (const i of xs) {
          if (body.depth(grid.x[i]!, grid.y[j]!, grid.z[k]!) + offset > 0) target[row + i] = value;
        }
      }
    }
  }
}

/** The indices of the coordinates within the body's bounds. */
function within(coordinates: Float64Array, body: Body, axis: 0 | 1 | 2): readonly number[] {
  const found: number[] = [];
  coordinates.forEach((value, index) => {
    if (value >= body.low[axis] && value <= body.high[axis]) found.push(index);
  });
  return found;
}

/** A separable three-point Gaussian. Beyond the border the edge voxel repeats. */
function blur(image: Float32Array, grid: VoxelCentres, sigma: number): Float32Array {
  if (sigma === 0) return image;
  const tail = Math.exp(-1 / (2 * sigma * sigma));
  const [centre, side] = [1 / (1 + 2 * tail), tail / (1 + 2 * tail)];
  const [nx, ny, nz] = [grid.x.length, grid.y.length, grid.z.length];
  let current = image;
  for (const [count, step] of [
    [nx, 1],
    [ny, nx],
    [nz, nx * ny],
  ] as const) {
    const next = new Float32Array(current.length);
    for (let i = 0; i < current.length; i++) {
      const place = Math.floor(i / step) % count;
      const before = current[place > 0 ? i - step : i]!;
      const after = current[place < count - 1 ? i + step : i]!;
      next[i] = centre * current[i]! + side * (before + after);
    }
    current = next;
  }
  return current;
}
