/**
 * How much of two surfaces lies within a tolerance of each other: each point looks for a point of the other
 * surface at the few offsets that are near enough. No distance beyond the tolerance is ever computed.
 */
import type { Spacing } from "./surface-area.ts";
import type { Surface } from "./surface.ts";

/** Areas (or counts) of both surfaces, and of their parts within the tolerance of the other. */
export interface Shares {
  readonly reference: { readonly area: number; readonly within: number };
  readonly prediction: { readonly area: number; readonly within: number };
}

/**
 * A point is within the tolerance if its distance to a point of the other surface is at most that:
 * √((dx·sx)² + (dy·sy)² + (dz·sz)²) ≤ tolerance, in double precision. `areas` by neighbour code.
 */
export function sharesWithin(
  reference: Surface,
  prediction: Surface,
  areas: Float64Array,
  spacing: Spacing,
  tolerance: number,
): Shares {
  const marks = new Marks(reference, prediction, reachOf(spacing, tolerance));
  const offsets = offsetsWithin(spacing, tolerance, marks);
  return {
    reference: shareOf(reference, PREDICTION, marks, offsets, areas),
    prediction: shareOf(prediction, REFERENCE, marks, offsets, areas),
  };
}

/** Share of both surfaces that is within the tolerance; NaN if both are empty. */
export function surfaceDice({ reference, prediction }: Shares): number {
  return (reference.within + prediction.within) / (reference.area + prediction.area);
}

/** Places within the tolerance of a point, roughly: what sharesWithin's time grows with. */
export function offsetCount(spacing: Spacing, tolerance: number): number {
  return ((4 / 3) * Math.PI * tolerance ** 3) / (spacing[0] * spacing[1] * spacing[2]);
}

const REFERENCE = 1;
const PREDICTION = 2;

type Triple = readonly [number, number, number];

/** Greatest offsets that the tolerance allows along each axis. */
function reachOf(spacing: Spacing, tolerance: number): Triple {
  const reach = (s: number) => Math.floor((tolerance / s) * (1 + 1e-12));
  return [reach(spacing[0]), reach(spacing[1]), reach(spacing[2])];
}

/** Which places of the box around both surfaces are points of one or the other, with room to reach beyond it. */
class Marks {
  readonly data: Uint8Array;
  readonly row: number;
  readonly plane: number;
  readonly reach: Triple;
  readonly #zero: number;

  constructor(reference: Surface, prediction: Surface, reach: Triple) {
    const bounds = (["x", "y", "z"] as const).map((axis) => {
      let [low, high] = [65535, 0];
      for (const surface of [reference, prediction]) {
        const values = surface[axis];
        for (let i = 0; i < surface.length; i++) {
          const value = values[i]!;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
      return { low, length: Math.max(0, high - low + 1) };
    });
    const [x, y, z] = bounds as [(typeof bounds)[0], (typeof bounds)[0], (typeof bounds)[0]];
    this.reach = reach;
    // A step beyond a row's end comes to the next row's beginning: one margin serves both sides.
    this.row = x.length + reach[0];
    this.plane = this.row * (y.length + reach[1]);
    const margin = reach[0] + this.row * reach[1] + this.plane * reach[2];
    this.#zero = margin - x.low - this.row * y.low - this.plane * z.low;
    this.data = new Uint8Array(2 * margin + this.plane * z.length);
    this.#mark(reference, REFERENCE);
    this.#mark(prediction, PREDICTION);
  }

  #mark(surface: Surface, bit: number): void {
    const { data } = this;
    for (let i = 0; i < surface.length; i++) data[this.at(surface, i)]! |= bit;
  }

  at(surface: Surface, i: number): number {
    return this.#zero + surface.x[i]! + this.row * surface.y[i]! + this.plane * surface.z[i]!;
  }
}

/** Steps in the marks to every place within the tolerance, the nearest first. */
function offsetsWithin(spacing: Spacing, tolerance: number, { row, plane, reach }: Marks): Int32Array {
  const found: { step: number; distance: number }[] = [];
  const [rx, ry, rz] = reach;
  for (let dz = -rz; dz <= rz; dz++) {
    for (let dy = -ry; dy <= ry; dy++) {
      for (let dx = -rx; dx <= rx; dx++) {
        const [x, y, z] = [dx * spacing[0], dy * spacing[1], dz * spacing[2]];
        const distance = Math.sqrt(x * x + y * y + z * z);
        if (distance <= tolerance) found.push({ step: dx + row * dy + plane * dz, distance });
      }
    }
  }
  found.sort((a, b) => a.distance - b.distance);
  return Int32Array.from(found, ({ step }) => step);
}

function shareOf(
  surface: Surface,
  other: number,
  marks: Marks,
  offsets: Int32Array,
  areas: Float64Array,
): { area: number; within: number } {
  const { data } = marks;
  // Points are counted by code and weighed at the end: sums of whole numbers are exact.
  const all = new Float64Array(256);
  const near = new Float64Array(256);
  for (let i = 0; i < surface.length; i++) {
    const at = marks.at(surface, i);
    const code = surface.code[i]!;
    all[code]!++;
    for (let o = 0; o < offsets.length; o++) {
      if (data[at + offsets[o]!]! & other) {
        near[code]!++;
        break;
      }
    }
  }
  const weigh = (counts: Float64Array) => counts.reduce((sum, count, code) => sum + count * areas[code]!, 0);
  return { area: weigh(all), within: weigh(near) };
}
