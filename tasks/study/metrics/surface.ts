/** Finds the surfaces of all labels of a grid in one pass. */
import type { SlotGrid } from "./slots.ts";

/** Points of one label's surface, sorted by z, then y, then x. */
export interface Surface {
  readonly length: number;
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  readonly z: Uint16Array;
  /** Neighbour code of each point; surfaceAreas() gives its area. */
  readonly code: Uint8Array;
}

/**
 * DeepMind's surface elements of the slots 1 to `slots` (result[slot]). An element is a place between eight voxels of
 * which some, but not all, have the label. Place (x, y, z) has the voxels (x-1 … x, y-1 … y, z-1 … z). Beyond the
 * volume is background.
 * Source: google-deepmind/surface-distance surface_distance/metrics.py.
 */
export function surfaceElements(grid: SlotGrid, slots: number): Surface[] {
  const { data, size, origin, row, plane } = grid;
  const words = new Int32Array(data.buffer, 0, data.length >> 2);
  const points = Array.from({ length: slots + 1 }, () => new Points());
  for (let z = 0; z <= size[2]; z++) {
    for (let y = 0; y <= size[1]; y++) {
      const [first, last] = extentAround(grid, y, z);
      const start = origin + row * y + plane * z;
      let alike = 0; // the last word of all four rows if it was equal in them and one slot four times, else NONE
      for (let x = first - (first % 4); x <= last + 1; x += 4) {
        const at = start + x;
        const w = words[at >> 2]!;
        const left = words[(at - row) >> 2]!;
        const below = words[(at - plane) >> 2]!;
        const across = words[(at - row - plane) >> 2]!;
        const same = w === left && w === below && w === across;
        if (same && w === alike) continue;
        alike = same && w === ((w << 8) | (w >>> 24)) ? w : NONE;
        for (let i = 0; i < 4; i++) elementsAt(data, at + i, row, plane, points, x + i, y, z);
      }
    }
  }
  return points;
}

/** The first and last column with a slot in row (y, z) and the three rows before it; first > last if there is none. */
function extentAround({ extents: { first, last }, size }: SlotGrid, y: number, z: number): [number, number] {
  const at = y + 1 + (size[1] + 2) * (z + 1);
  const below = at - size[1] - 2;
  return [
    Math.min(first[at]!, first[at - 1]!, first[below]!, first[below - 1]!),
    Math.max(last[at]!, last[at - 1]!, last[below]!, last[below - 1]!),
  ];
}

/** A word of four times slot 255, which no grid holds. */
const NONE = -1;

function elementsAt(
  data: Uint8Array,
  at: number,
  row: number,
  plane: number,
  points: readonly Points[],
  x: number,
  y: number,
  z: number,
): void {
  const v111 = data[at]!;
  const v110 = data[at - plane]!;
  const v101 = data[at - row]!;
  const v100 = data[at - row - plane]!;
  const v011 = data[at - 1]!;
  const v010 = data[at - 1 - plane]!;
  const v001 = data[at - 1 - row]!;
  const v000 = data[at - 1 - row - plane]!;
  if (
    v111 === v110 &&
    v111 === v101 &&
    v111 === v100 &&
    v111 === v011 &&
    v111 === v010 &&
    v111 === v001 &&
    v111 === v000
  ) {
    return;
  }
  let seen = 0; // bits of the voxels whose slot is done
  for (let bit = 128; bit > 0; bit >>= 1) {
    if (seen & bit) continue;
    // prettier-ignore
    const slot =
      bit === 128 ? v000 : bit === 64 ? v001 : bit === 32 ? v010 : bit === 16 ? v011 :
      bit === 8 ? v100 : bit === 4 ? v101 : bit === 2 ? v110 : v111;
    const code =
      (v000 === slot ? 128 : 0) |
      (v001 === slot ? 64 : 0) |
      (v010 === slot ? 32 : 0) |
      (v011 === slot ? 16 : 0) |
      (v100 === slot ? 8 : 0) |
      (v101 === slot ? 4 : 0) |
      (v110 === slot ? 2 : 0) |
      (v111 === slot ? 1 : 0);
    seen |= code;
    if (slot !== 0) points[slot]!.push(x, y, z, code);
    if (seen === 255) return;
  }
}

/**
 * The boundary voxels of each label (result[slot]): those with a face neighbour of another label, as erosion by a cross
 * finds them. All have code 0. Beyond the volume is background.
 * Source: Project-MONAI/MONAI monai/metrics/utils.py.
 */
export function boundaryVoxels(grid: SlotGrid, slots: number): Surface[] {
  const { data, size, origin, row, plane } = grid;
  const points = Array.from({ length: slots + 1 }, () => new Points());
  for (let z = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const start = origin + row * y + plane * z;
      for (let x = 0; x < size[0]; x++) {
        const at = start + x;
        const slot = data[at]!;
        if (slot === 0) continue;
        const inside =
          data[at - 1] === slot &&
          data[at + 1] === slot &&
          data[at - row] === slot &&
          data[at + row] === slot &&
          data[at - plane] === slot &&
          data[at + plane] === slot;
        if (!inside) points[slot]!.push(x, y, z, 0);
      }
    }
  }
  return points;
}

class Points implements Surface {
  length = 0;
  x = new Uint16Array(64);
  y = new Uint16Array(64);
  z = new Uint16Array(64);
  code = new Uint8Array(64);

  push(x: number, y: number, z: number, code: number): void {
    const i = this.length;
    if (i === this.x.length) this.#grow();
    this.x[i] = x;
    this.y[i] = y;
    this.z[i] = z;
    this.code[i] = code;
    this.length = i + 1;
  }

  #grow(): void {
    const longer = <T extends Uint16Array | Uint8Array>(values: T, target: T): T => {
      target.set(values);
      return target;
    };
    const n = 2 * this.x.length;
    this.x = longer(this.x, new Uint16Array(n));
    this.y = longer(this.y, new Uint16Array(n));
    this.z = longer(this.z, new Uint16Array(n));
    this.code = longer(this.code, new Uint8Array(n));
  }
}
