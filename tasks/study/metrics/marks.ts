/**
 * Finds points of a surface within a radius by looking at the few voxel offsets that are near enough. It computes no
 * distance beyond the radius.
 */
import type { Triple } from "../arrays.ts";
import type { Spacing } from "./surface-area.ts";
import type { Surface } from "./surface.ts";

/** Bits of a mark: the surface that has a point there. */
export const REFERENCE = 1;
export const PREDICTION = 2;

/** The greatest voxel offset within the tolerance along each axis. */
function reachOf(spacing: Spacing, tolerance: number): Triple {
  const reach = (s: number) => Math.floor((tolerance / s) * (1 + 1e-12));
  return [reach(spacing[0]), reach(spacing[1]), reach(spacing[2])];
}

/** The box around both surfaces, with a margin. Each place has a bit for each surface that has a point there. */
export class Marks {
  readonly data: Uint8Array;
  readonly row: number;
  readonly plane: number;
  readonly reach: Triple;
  readonly #zero: number;

  /** The margin holds all offsets up to `radius`, in the unit of the spacing. */
  constructor(reference: Surface, prediction: Surface, spacing: Spacing, radius: number) {
    const reach = reachOf(spacing, radius);
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
    // A step beyond the end of a row arrives at the beginning of the next, so one margin serves both sides.
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

/** All offsets within a radius: their steps in the marks' array and their distances, nearest first. */
export interface Ball {
  readonly steps: Int32Array;
  readonly distances: Float64Array;
}

/** Distances are √((dx·sx)² + (dy·sy)² + (dz·sz)²) in double precision, at most `radius`. */
export function ballOf(spacing: Spacing, radius: number, { row, plane, reach }: Marks): Ball {
  const found: { step: number; distance: number }[] = [];
  const [rx, ry, rz] = reach;
  for (let dz = -rz; dz <= rz; dz++) {
    for (let dy = -ry; dy <= ry; dy++) {
      for (let dx = -rx; dx <= rx; dx++) {
        const [x, y, z] = [dx * spacing[0], dy * spacing[1], dz * spacing[2]];
        const distance = Math.sqrt(x * x + y * y + z * z);
        if (distance <= radius) found.push({ step: dx + row * dy + plane * dz, distance });
      }
    }
  }
  found.sort((a, b) => a.distance - b.distance);
  return {
    steps: Int32Array.from(found, ({ step }) => step),
    distances: Float64Array.from(found, ({ distance }) => distance),
  };
}

/** The rough number of places in a ball. */
export function ballSize(spacing: Spacing, radius: number): number {
  return ((4 / 3) * Math.PI * radius ** 3) / (spacing[0] * spacing[1] * spacing[2]);
}

/** The radius of a ball of roughly that many places. */
export function ballRadius(spacing: Spacing, places: number): number {
  return Math.cbrt((places * spacing[0] * spacing[1] * spacing[2]) / ((4 / 3) * Math.PI));
}
