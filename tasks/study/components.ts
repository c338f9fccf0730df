/** Connected components of label maps. */
import type { Shape } from "./arrays.ts";

/**
 * Numbers the connected parts of equal, non-zero value in an array (z, y, x). Voxels with 26 neighbours (8 in a single
 * slice) are connected at corners too, with 6 neighbours only at faces. Background is 0; parts are 1, 2, … in the order
 * of their first voxels. `sizes[part]` counts voxels.
 */
export function connectedParts(
  labels: ArrayLike<number>,
  [nz, ny, nx]: Shape,
  neighbours: 6 | 26 = 26,
): { parts: Int32Array; sizes: number[] } {
  const parts = new Int32Array(labels.length);
  const sizes = [0];
  const open: number[] = [];
  for (let seed = 0; seed < labels.length; seed++) {
    if (labels[seed] === 0 || parts[seed] !== 0) continue;
    const part = sizes.push(0) - 1;
    parts[seed] = part;
    open.push(seed);
    while (open.length > 0) {
      const i = open.pop()!;
      sizes[part]! += 1;
      const x = i % nx;
      const y = Math.floor(i / nx) % ny;
      const z = Math.floor(i / (nx * ny));
      for (let dz = Math.max(0, z - 1); dz <= Math.min(nz - 1, z + 1); dz++) {
        for (let dy = Math.max(0, y - 1); dy <= Math.min(ny - 1, y + 1); dy++) {
          for (let dx = Math.max(0, x - 1); dx <= Math.min(nx - 1, x + 1); dx++) {
            const next = dx + nx * (dy + ny * dz);
            if (neighbours === 6 && Math.abs(dx - x) + Math.abs(dy - y) + Math.abs(dz - z) > 1) continue;
            if (parts[next] !== 0 || labels[next] !== labels[seed]) continue;
            parts[next] = part;
            open.push(next);
          }
        }
      }
    }
  }
  return { parts, sizes };
}

/** A copy of the labels without the parts that have fewer than `least` voxels; `labels` itself if `least` ≤ 1. */
export function withoutSmallParts<T extends Uint8Array | Uint16Array>(
  labels: T,
  shape: Shape,
  least: number,
): T {
  if (least <= 1) return labels;
  const { parts, sizes } = connectedParts(labels, shape);
  const kept = labels.slice() as T;
  parts.forEach((part, i) => {
    if (sizes[part]! < least) kept[i] = 0;
  });
  return kept;
}
