/** Axial slices and boxes for the prompted 2D model. Its input has two channels: the slice, and the box as a mask. */
import type { LabelVolume, Volume } from "../volume/volume.ts";

/** Inclusive bounds in pixels of the slice. */
export interface SliceBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** The box around each label in slice z, by label value. */
export function boxesOf(labels: LabelVolume, z: number): Map<number, SliceBox> {
  const [nx, ny] = labels.size;
  const boxes = new Map<number, { x0: number; y0: number; x1: number; y1: number }>();
  for (let y = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++) {
      const label = labels.data[x + nx * (y + ny * z)] ?? 0;
      if (label === 0) continue;
      const box = boxes.get(label);
      if (box === undefined) boxes.set(label, { x0: x, y0: y, x1: x, y1: y });
      else {
        box.x0 = Math.min(box.x0, x);
        box.x1 = Math.max(box.x1, x);
        box.y1 = y;
      }
    }
  }
  return boxes;
}

/** (2, ny, nx): the slice, then a mask that is 1 inside the box. The box first grows by `grow` pixels on each side. */
export function promptChannels(image: Volume, z: number, box: SliceBox, grow: number): Float32Array {
  const [nx, ny] = image.size;
  const channels = new Float32Array(2 * nx * ny);
  for (let i = 0; i < nx * ny; i++) channels[i] = image.data[i + nx * ny * z] ?? 0;
  for (let y = Math.max(0, box.y0 - grow); y <= Math.min(ny - 1, box.y1 + grow); y++) {
    for (let x = Math.max(0, box.x0 - grow); x <= Math.min(nx - 1, box.x1 + grow); x++)
      channels[nx * (ny + y) + x] = 1;
  }
  return channels;
}
