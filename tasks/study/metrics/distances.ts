/**
 * Exact Euclidean distances from the points of one surface to the nearest point of another. A point that has no target
 * near by goes through the planes: each plane with targets gets a two-dimensional distance transform, and the point
 * takes the least distance over all planes.
 * Source: Felzenszwalb and Huttenlocher, Distance Transforms of Sampled Functions (lower envelope of parabolas).
 */
import { ballOf, ballRadius, Marks, PREDICTION } from "./marks.ts";
import type { Spacing } from "./surface-area.ts";
import type { Surface } from "./surface.ts";

/** The distance of each query point in the unit of `spacing`; Infinity if there is no target at all. */
export function nearestDistances(queries: Surface, targets: Surface, spacing: Spacing): Float64Array {
  const distances = new Float64Array(queries.length).fill(Infinity);
  // Most points of similar surfaces have a target near by: search the places around them, nearest first.
  const radius = ballRadius(spacing, PLACES_AROUND);
  const marks = new Marks(queries, targets, spacing, radius);
  const { steps, distances: near } = ballOf(spacing, radius, marks);
  const far: number[] = [];
  for (let i = 0; i < queries.length; i++) {
    const at = marks.at(queries, i);
    let o = 0;
    while (o < steps.length && (marks.data[at + steps[o]!]! & PREDICTION) === 0) o++;
    if (o < steps.length) distances[i] = near[o]!;
    else far.push(i);
  }
  const rest = far.length > 0 ? distancesByPlanes(pick(queries, far), targets, spacing) : [];
  rest.forEach((distance, i) => (distances[far[i]!] = distance));
  return distances;
}

const PLACES_AROUND = 300;

function distancesByPlanes(queries: Surface, targets: Surface, spacing: Spacing): Float64Array {
  const squared = new Float64Array(queries.length).fill(Infinity);
  const plane = new PlaneTransform(boundsOf(queries), spacing);
  const across = spacing[2] ** 2;
  for (let first = 0, end = 0; first < targets.length; first = end) {
    const z = targets.z[first]!;
    while (end < targets.length && targets.z[end] === z) end++;
    plane.transform(targets, first, end);
    for (let i = 0; i < queries.length; i++) {
      const dz = queries.z[i]! - z;
      if (dz * dz * across >= squared[i]!) continue;
      // Add x and y first, then z, to round as numpy does.
      const total = plane.squared[plane.at(queries.x[i]!, queries.y[i]!)]! + (dz * spacing[2]) ** 2;
      if (total < squared[i]!) squared[i] = total;
    }
  }
  return squared.map(Math.sqrt);
}

function pick(surface: Surface, indices: readonly number[]): Surface {
  const take = (values: Uint16Array) => Uint16Array.from(indices, (i) => values[i]!);
  return {
    length: indices.length,
    x: take(surface.x),
    y: take(surface.y),
    z: take(surface.z),
    code: Uint8Array.from(indices, (i) => surface.code[i]!),
  };
}

interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boundsOf({ x, y, length }: Surface): Window {
  let [left, right, top, bottom] = [65535, 0, 65535, 0];
  for (let i = 0; i < length; i++) {
    left = Math.min(left, x[i]!);
    right = Math.max(right, x[i]!);
    top = Math.min(top, y[i]!);
    bottom = Math.max(bottom, y[i]!);
  }
  return { x: left, y: top, width: Math.max(0, right - left + 1), height: Math.max(0, bottom - top + 1) };
}

/** Squared distances within a plane. They cover a window; the targets may lie outside of it. */
class PlaneTransform {
  /** Indexed by x·height + y, where x and y count from the window's corner. */
  readonly squared: Float64Array;
  readonly #window: Window;
  readonly #spacing: Spacing;
  /** For each row with targets: its y, and the squared distance along x from each column of the window. */
  #rows: number[] = [];
  #along: Float64Array[] = [];
  /** The lower envelope of a column: the rows whose parabolas form it, and the y from which each is the lowest. */
  #hull = new Int32Array(16);
  #from = new Float64Array(17);

  constructor(window: Window, spacing: Spacing) {
    this.#window = window;
    this.#spacing = spacing;
    this.squared = new Float64Array(window.width * window.height);
  }

  at(x: number, y: number): number {
    return (x - this.#window.x) * this.#window.height + y - this.#window.y;
  }

  /** Fills `squared` for the targets from `first` to before `end`, which lie in one plane. */
  transform(targets: Surface, first: number, end: number): void {
    this.#rowDistances(targets, first, end);
    if (this.#hull.length < this.#rows.length) {
      this.#hull = new Int32Array(this.#rows.length);
      this.#from = new Float64Array(this.#rows.length + 1);
    }
    for (let x = 0; x < this.#window.width; x++) this.#column(x);
  }

  #rowDistances(targets: Surface, first: number, end: number): void {
    const { x: left, width } = this.#window;
    const step = this.#spacing[0];
    this.#rows = [];
    let row = first;
    while (row < end) {
      const y = targets.y[row]!;
      const index = this.#rows.push(y) - 1;
      const along = (this.#along[index] ??= new Float64Array(width));
      let next = row; // the first target of the row that is not left of x
      for (let x = 0; x < width; x++) {
        const place = left + x;
        while (next < end && targets.y[next] === y && targets.x[next]! < place) next++;
        let d = next < end && targets.y[next] === y ? targets.x[next]! - place : Infinity;
        if (next > row) d = Math.min(d, place - targets.x[next - 1]!);
        along[x] = (d * step) ** 2;
      }
      row = next;
      while (row < end && targets.y[row] === y) row++;
    }
  }

  #column(x: number): void {
    const { y: top, height } = this.#window;
    const step = this.#spacing[1];
    const scale = 2 * step * step;
    const [hull, from, rows, along] = [this.#hull, this.#from, this.#rows, this.#along];
    let last = -1;
    for (let r = 0; r < rows.length; r++) {
      const value = along[r]![x]! + (rows[r]! * step) ** 2;
      let crossing = -Infinity;
      while (last >= 0) {
        const before = rows[hull[last]!]!;
        const other = along[hull[last]!]![x]! + (before * step) ** 2;
        crossing = (value - other) / (scale * (rows[r]! - before));
        if (crossing > from[last]!) break;
        last--;
        crossing = -Infinity;
      }
      hull[++last] = r;
      from[last] = crossing;
    }
    from[last + 1] = Infinity;
    const start = x * height;
    for (let y = 0, k = 0; y < height; y++) {
      const place = top + y;
      while (from[k + 1]! < place) k++;
      const dy = (place - rows[hull[k]!]!) * step;
      this.squared[start + y] = along[hull[k]!]![x]! + dy * dy;
    }
  }
}
