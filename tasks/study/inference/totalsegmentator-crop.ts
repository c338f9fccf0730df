/**
 * What TotalSegmentator does with the labels of a rough run, and its clean-up of the body.
 * Reference: wasserth/TotalSegmentator totalsegmentator/{cropping,postprocessing}.py.
 */
import type { Triple } from "../arrays.ts";
import { connectedParts } from "../components.ts";
import { type Box, boxShape, cropArray, nonZeroBox, pasteArray } from "../resample/crop.ts";
import { affineOf, apply, columns } from "../volume/affine.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";

const inC = ([x, y, z]: Triple): Triple => [z, y, x];

/**
 * The box (z, y, x in the stored order) around the label `values`, enlarged by `margin` (mm along x, y, z) that is cut
 * to whole voxels. Null if no voxel has one of the values.
 */
export function cropBox(labels: LabelVolume, values: readonly number[], margin: Triple): Box | null {
  const mask = Uint8Array.from(labels.data, (value) => Number(values.includes(value)));
  if (!mask.includes(1)) return null;
  const shape = inC(labels.size);
  const { start, end } = nonZeroBox([mask], shape);
  const more = inC(margin.map((mm, axis) => Math.floor(mm / labels.spacing[axis]!)) as unknown as Triple);
  const along = (f: (axis: 0 | 1 | 2) => number): Triple => [f(0), f(1), f(2)];
  return {
    start: along((axis) => Math.max(0, start[axis] - more[axis])),
    end: along((axis) => Math.min(shape[axis], end[axis] + more[axis])),
  };
}

/** The part of a volume in a box (z, y, x), at its place in the world. */
export function cropVolume(volume: Volume, box: Box): Volume {
  const size = inC(boxShape(box));
  const affine = affineOf(columns(volume.affine), apply(volume.affine, inC(box.start)));
  return { ...volume, size, affine, data: cropArray(volume.data, inC(volume.size), box) };
}

/** Labels of a box on the whole grid, 0 elsewhere. */
export function pasteLabels(labels: LabelVolume, grid: Grid, box: Box): LabelVolume {
  const { size, spacing, affine } = grid;
  const type = labels.data.constructor as Uint8ArrayConstructor;
  const data = new type(size[0] * size[1] * size[2]);
  pasteArray(labels.data, data, inC(size), box);
  return { size, spacing, affine, data };
}

/**
 * Labels farther than `millimetres` from the `values` of `organs` become 0. The distance is counted in steps between
 * voxels that share a face, each as long as the mean voxel edge, cut to whole steps.
 */
export function keepNear(
  labels: LabelVolume,
  organs: LabelVolume,
  values: readonly number[],
  millimetres: number,
): LabelVolume {
  const [nx, ny, nz] = labels.size;
  const steps = Math.floor(millimetres / (labels.spacing.reduce((a, b) => a + b, 0) / 3));
  const near = Uint8Array.from(organs.data, (value) => Number(values.includes(value)));
  let front: number[] = [];
  for (let i = 0; i < near.length; i++) if (near[i] === 1) front.push(i);
  for (let step = 0; step < steps; step++) {
    const next: number[] = [];
    for (const i of front) {
      const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
      for (const [inside, neighbour] of [
        [x > 0, i - 1],
        [x < nx - 1, i + 1],
        [y > 0, i - nx],
        [y < ny - 1, i + nx],
        [z > 0, i - nx * ny],
        [z < nz - 1, i + nx * ny],
      ] as const) {
        if (!inside || near[neighbour] === 1) continue;
        near[neighbour] = 1;
        next.push(neighbour);
      }
    }
    front = next;
  }
  return { ...labels, data: labels.data.map((value, i) => (near[i] === 1 ? value : 0)) };
}

/**
 * Keeps the largest part of body_trunc (the first of several), and parts of body_extremities above 50,000 mm³. Voxels
 * that share a face are connected.
 */
export function cleanUpBody(labels: LabelVolume, values: Readonly<Record<string, number>>): LabelVolume {
  const [trunc, extremities] = [values["body_trunc"], values["body_extremities"]];
  const { parts, sizes } = connectedParts(labels.data, inC(labels.size), 6);
  const volume = labels.spacing.reduce((a, b) => a * b, 1);
  let largest = 0;
  const valueOf = new Uint16Array(sizes.length);
  parts.forEach((part, i) => (valueOf[part] = labels.data[i]!));
  for (let part = 1; part < sizes.length; part++) {
    if (valueOf[part] === trunc && (largest === 0 || sizes[part]! > sizes[largest]!)) largest = part;
  }
  const data = labels.data.map((value, i) => {
    const part = parts[i]!;
    if (value === trunc) return part === largest ? value : 0;
    return value === extremities && sizes[part]! * volume <= 50_000 ? 0 : value;
  });
  return { ...labels, data };
}
