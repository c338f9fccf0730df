/**
 * Implicit bodies. A shape gives the depth of a point below its surface in millimetres: positive inside, zero on the
 * surface, negative outside. The depth is exact for tubes of constant radius. For ellipsoids it is measured along the
 * ray from the centre, which is accurate to first order and enough for painting.
 */
import type { Triple } from "../arrays.ts";

/** Along x, y, z. */
export type Point = Triple;

export interface Ellipsoid {
  readonly kind: "ellipsoid";
  readonly centre: Point;
  /** Half axes in millimetres. */
  readonly half: Point;
}

export interface Tube {
  readonly kind: "tube";
  /** The centre line, of two points or more. */
  readonly line: readonly Point[];
  readonly radius: number;
}

export type Shape = Ellipsoid | Tube;

/** The difference of one case's shape from the mean anatomy. */
export interface Deformation {
  readonly shift: Point;
  /** Factor on half axes and radius. */
  readonly size: number;
  /** Radians about x, y, z through the shape's centre. */
  readonly turn: Point;
  /** Plane waves over the surface: relative amplitude, wave vector (direction times frequency), phase. */
  readonly bumps: readonly { readonly amplitude: number; readonly wave: Point; readonly phase: number }[];
}

/** A shape placed in one case. */
export interface Body {
  readonly low: Point;
  readonly high: Point;
  /** Millimetres below the surface, negative outside it. Never positive outside of the box from `low` to `high`. */
  depth(x: number, y: number, z: number): number;
}

/**
 * Places a shape. The bounds leave room for `grow`, the largest offset in millimetres that a caller adds to the depth.
 */
export function place(shape: Shape, deformation: Deformation, grow = 0): Body {
  return shape.kind === "ellipsoid"
    ? placeEllipsoid(shape, deformation, grow)
    : placeTube(shape, deformation, grow);
}

function placeEllipsoid(shape: Ellipsoid, deformation: Deformation, grow: number): Body {
  const { shift, size, turn } = deformation;
  const [cx, cy, cz] = add(shape.centre, shift);
  const [hx, hy, hz] = [shape.half[0] * size, shape.half[1] * size, shape.half[2] * size];
  const m = rotation(turn);
  const smallest = Math.min(hx, hy, hz);
  const reach = (axis: number): number =>
    (1 + amplitude(deformation)) *
      (Math.abs(m[axis]! * hx) + Math.abs(m[axis + 3]! * hy) + Math.abs(m[axis + 6]! * hz)) +
    grow;
  return {
    low: [cx - reach(0), cy - reach(1), cz - reach(2)],
    high: [cx + reach(0), cy + reach(1), cz + reach(2)],
    depth(x, y, z) {
      const [dx, dy, dz] = [x - cx, y - cy, z - cz];
      const u = (m[0]! * dx + m[1]! * dy + m[2]! * dz) / hx;
      const v = (m[3]! * dx + m[4]! * dy + m[5]! * dz) / hy;
      const w = (m[6]! * dx + m[7]! * dy + m[8]! * dz) / hz;
      const rho = Math.sqrt(u * u + v * v + w * w);
      if (rho < 1e-6) return smallest;
      const length = Math.sqrt(dx * dx + dy * dy + dz * dz);
      return (length * bump(deformation, dx / length, dy / length, dz / length)) / rho - length;
    },
  };
}

function placeTube(shape: Tube, deformation: Deformation, grow: number): Body {
  const radius = shape.radius * deformation.size;
  const centre = mean(shape.line);
  const m = rotation(deformation.turn);
  const line = shape.line.map((point) => {
    const [x, y, z] = [point[0] - centre[0], point[1] - centre[1], point[2] - centre[2]];
    // The transpose turns the line the same way as `m` turns an ellipsoid's axes.
    const turned: Point = [
      m[0]! * x + m[3]! * y + m[6]! * z,
      m[1]! * x + m[4]! * y + m[7]! * z,
      m[2]! * x + m[5]! * y + m[8]! * z,
    ];
    return add(add(turned, centre), deformation.shift);
  });
  const reach = radius * (1 + amplitude(deformation)) + grow;
  const bound = (axis: 0 | 1 | 2, sign: -1 | 1): number =>
    sign * Math.max(...line.map((point) => sign * point[axis])) + sign * reach;
  return {
    low: [bound(0, -1), bound(1, -1), bound(2, -1)],
    high: [bound(0, 1), bound(1, 1), bound(2, 1)],
    depth(x, y, z) {
      let nearest = Infinity;
      for (let i = 1; i < line.length; i++) {
        const [ax, ay, az] = line[i - 1]!;
        const [bx, by, bz] = line[i]!;
        const [ex, ey, ez] = [bx - ax, by - ay, bz - az];
        const along = ((x - ax) * ex + (y - ay) * ey + (z - az) * ez) / (ex * ex + ey * ey + ez * ez);
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const [dx, dy, dz] = [x - ax - t * ex, y - ay - t * ey, z - az - t * ez];
        const distance = dx * dx + dy * dy + dz * dz;
        if (distance < nearest) nearest = distance;
      }
      // The bumps of a tube depend on the place, with one wave about every 60 mm.
      return radius * bump(deformation, x / 30, y / 30, z / 30) - Math.sqrt(nearest);
    },
  };
}

/** 1 plus the sum of the waves at a point: the factor on the radius there. */
function bump(deformation: Deformation, x: number, y: number, z: number): number {
  let sum = 1;
  for (const { amplitude, wave, phase } of deformation.bumps) {
    sum += amplitude * Math.sin(wave[0] * x + wave[1] * y + wave[2] * z + phase);
  }
  return sum;
}

function amplitude(deformation: Deformation): number {
  return deformation.bumps.reduce((sum, wave) => sum + Math.abs(wave.amplitude), 0);
}

/** A row-major 3×3 matrix, from millimetres about the centre to the shape's own axes. */
function rotation([a, b, c]: Point): readonly number[] {
  const [sa, ca, sb, cb, sc, cc] = [
    Math.sin(a),
    Math.cos(a),
    Math.sin(b),
    Math.cos(b),
    Math.sin(c),
    Math.cos(c),
  ];
  return [
    cb * cc,
    cb * sc,
    -sb,
    sa * sb * cc - ca * sc,
    sa * sb * sc + ca * cc,
    sa * cb,
    ca * sb * cc + sa * sc,
    ca * sb * sc - sa * cc,
    ca * cb,
  ];
}

function add(a: Point, b: Point): Point {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce(add, [0, 0, 0]);
  return [sum[0] / points.length, sum[1] / points.length, sum[2] / points.length];
}
