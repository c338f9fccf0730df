/** Slices of a volume in RAS order, as a radiologist looks at them: the patient's right, or front, is on the left. */
import type { Triple } from "../arrays.ts";
import type { Size } from "../volume/volume.ts";

export const PLANES = ["axial", "coronal", "sagittal"] as const;
export type Plane = (typeof PLANES)[number];

interface Axes {
  /** The volume's axes along the columns, the rows and across the slices. */
  readonly axes: readonly [0 | 1, 1 | 2, 0 | 1 | 2];
  /** Letters of the left, right, upper and lower edge. */
  readonly edges: readonly [string, string, string, string];
}

const AXES: { readonly [plane in Plane]: Axes } = {
  axial: { axes: [0, 1, 2], edges: ["R", "L", "A", "P"] },
  coronal: { axes: [0, 2, 1], edges: ["R", "L", "S", "I"] },
  sagittal: { axes: [1, 2, 0], edges: ["A", "P", "S", "I"] },
};

export interface Slice {
  readonly plane: Plane;
  /** From 0, along the axis across the plane. */
  readonly index: number;
  /** Slices that the volume has in this plane. */
  readonly of: number;
  readonly columns: number;
  readonly rows: number;
  /** Millimetres between columns and between rows. */
  readonly spacing: readonly [number, number];
  /** Letters of the left, right, upper and lower edge. */
  readonly edges: Axes["edges"];
  /** Place of a pixel in the volume's data. */
  readonly at: (column: number, row: number) => number;
}

export function sliceOf(size: Size, spacing: Triple, plane: Plane, index: number): Slice {
  const { axes, edges } = AXES[plane];
  const [u, v, w] = axes;
  const strides = [1, size[0], size[0] * size[1]] as const;
  const [columns, rows] = [size[u], size[v]];
  return {
    plane,
    index,
    of: size[w],
    columns,
    rows,
    spacing: [spacing[u], spacing[v]],
    edges,
    // Both axes of the picture run against those of the volume.
    at: (column, row) =>
      (columns - 1 - column) * strides[u] + (rows - 1 - row) * strides[v] + index * strides[w],
  };
}

/** The slice of a plane that shows the most labels. Where several show as many, the middle one of them. */
export function fullestSlice(labels: ArrayLike<number>, size: Size, spacing: Triple, plane: Plane): Slice {
  const { of } = sliceOf(size, spacing, plane, 0);
  const slices = Array.from({ length: of }, (_, index) => sliceOf(size, spacing, plane, index));
  const counts = slices.map((slice) => labelsOn(slice, labels));
  const most = Math.max(...counts);
  const fullest = slices.filter((_, index) => counts[index] === most);
  const middle = fullest[Math.floor(fullest.length / 2)];
  if (middle === undefined) throw new Error(`the volume has no ${plane} slice`);
  return middle;
}

function labelsOn({ columns, rows, at }: Slice, labels: ArrayLike<number>): number {
  const seen = new Set<number>();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) seen.add(labels[at(column, row)] ?? 0);
  }
  return seen.size;
}
