/**
 * TotalSegmentator's clean-up of vertebral bodies, on the grid of the network in canonical orientation.
 * Reference: wasserth/TotalSegmentator totalsegmentator/postprocessing.py (the tasks vertebrae_pp and
 * vertebrae_pp_refined).
 */
import type { Shape, Triple } from "../arrays.ts";
import { connectedParts } from "../components.ts";
import type { LabelVolume } from "../volume/volume.ts";

/** Smaller bodies are removed, in mm³. */
const SMALLEST = 100;

/**
 * Undoes the erosion of the training labels: every vertebra grows by 3 mm. If labels touch before, a body has several
 * labels: then the bodies are numbered again along the spine, from the lowest label up, or from C1 down if C1 is in the
 * image and L5 is not. `values` gives the label value of each vertebra by name.
 */
export function cleanUpVertebrae(labels: LabelVolume, values: Readonly<Record<string, number>>): LabelVolume {
  const separate = labelsTouch(labels) ? numberBodies(labels, values) : labels;
  return growLabels(separate, 3);
}

/** Grows every label by 2 mm, and removes what lies outside the `bodies` of another network. */
export function refineVertebrae(labels: LabelVolume, bodies: ArrayLike<number>): LabelVolume {
  const grown = growLabels(labels, 2);
  return { ...grown, data: grown.data.map((value, i) => (bodies[i] === 1 ? value : 0)) };
}

const inC = ([x, y, z]: Triple): Shape => [z, y, x];

/** Whether voxels of two labels share a face. */
function labelsTouch({ data, size: [nx, ny, nz] }: LabelVolume): boolean {
  const differ = (i: number, j: number) => data[i] !== 0 && data[j] !== 0 && data[i] !== data[j];
  for (let z = 0, i = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, i++) {
        if (x + 1 < nx && differ(i, i + 1)) return true;
        if (y + 1 < ny && differ(i, i + nx)) return true;
        if (z + 1 < nz && differ(i, i + nx * ny)) return true;
      }
    }
  }
  return false;
}

function numberBodies(labels: LabelVolume, values: Readonly<Record<string, number>>): LabelVolume {
  const { data, size, spacing } = labels;
  const mask = Uint8Array.from(data, (value) => Number(value !== 0));
  const { parts, sizes } = connectedParts(mask, inC(size), 6);
  const volume = spacing.reduce((a, b) => a * b, 1);
  const heights = new Float64Array(sizes.length);
  parts.forEach((part, i) => (heights[part]! += Math.floor(i / (size[0] * size[1]))));
  const bodies = sizes
    .map((count, part) => ({ part, count, height: heights[part]! / count }))
    .filter(({ part, count }) => part > 0 && count * volume >= SMALLEST)
    .sort((a, b) => a.height - b.height);
  const kept = new Set(bodies.map(({ part }) => part));
  const present = new Set(data.filter((value, i) => value !== 0 && kept.has(parts[i]!)));
  const all = Object.values(values);
  const [top, bottom] = [values["vertebrae_C1"]!, values["vertebrae_L5"]!];
  const down = !present.has(bottom) && present.has(top);
  const first = down ? top : Math.max(...present);
  const numbers = new Uint8Array(sizes.length);
  for (const [i, { part }] of (down ? bodies.reverse() : bodies).entries()) {
    const number = down ? first + i : first - i;
    if (number >= Math.min(...all) && number <= Math.max(...all)) numbers[part] = number;
  }
  return { ...labels, data: data.map((_, i) => numbers[parts[i]!]!) };
}

/** Grows each label into the background by an ellipsoid of `millimetres`, lower labels first. */
function growLabels(labels: LabelVolume, millimetres: number): LabelVolume {
  const { data, size, spacing } = labels;
  const [nx, ny, nz] = size;
  const [ex, ey, ez] = spacing.map((edge) => offsets(millimetres / edge)) as [Offset[], Offset[], Offset[]];
  const ball = ez.flatMap((z) =>
    ey.flatMap((y) =>
      ex.flatMap((x) => (z.share + y.share + x.share <= 1 ? [[x.step, y.step, z.step] as const] : [])),
    ),
  );
  const grown = data.slice();
  const voxels: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) voxels.push(i);
  voxels.sort((a, b) => data[a]! - data[b]!);
  for (const i of voxels) {
    const [x, y, z] = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))];
    for (const [dx, dy, dz] of ball) {
      const [u, v, w] = [x + dx, y + dy, z + dz];
      if (u < 0 || v < 0 || w < 0 || u >= nx || v >= ny || w >= nz) continue;
      const to = u + nx * (v + ny * w);
      if (grown[to] === 0) grown[to] = data[i]!;
    }
  }
  return { ...labels, data: grown };
}

interface Offset {
  readonly step: number;
  /** Its part of the ellipsoid's equation. */
  readonly share: number;
}

/** Samples of one axis at -radius, -radius + 1, … up to radius + 1, as the package takes them; the middle one is step 0. */
function offsets(radius: number): Offset[] {
  const count = Math.ceil(2 * radius + 1);
  return Array.from({ length: count }, (_, i) => ({
    step: i - Math.floor(count / 2),
    share: ((i - radius) / radius) ** 2,
  }));
}
