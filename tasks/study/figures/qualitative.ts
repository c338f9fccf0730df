/**
 * Figure 1: one slice of one case, once for each label version, with the organs in colour over the grey CT, and a
 * legend. The legend's number stands on each organ, so that nobody has to tell colours apart. The same input gives the
 * same bytes.
 */
import { encode } from "fast-png";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { drawText, GLYPH } from "./font.ts";
import { labelColour } from "./palette.ts";

export interface Qualitative {
  /** Lines above the panels. They must say if the images are synthetic. */
  readonly heading: readonly string[];
  readonly image: Volume;
  /** Values of the image that become black and white, in its own units (HU for CT). */
  readonly window: readonly [number, number];
  readonly versions: readonly { readonly name: string; readonly labels: LabelVolume }[];
  readonly organs: readonly { readonly name: string; readonly id: number }[];
  /** Index of the axial slice. */
  readonly slice: number;
}

const TEXT = 2; // scale of the 5×7 font
const LINE = GLYPH.height * TEXT + 8;
const GAP = 10;
const TARGET = 260; // approximate width of one panel, in pixels
const SWATCH = 22; // width of a colour box in the legend with the space after it, in pixels

/** Bytes of the PNG, 8-bit RGB. All volumes must be on the image's grid, with axes in RAS order. */
export function renderQualitative(figure: Qualitative): Uint8Array {
  const [nx, ny] = figure.image.size;
  const scale = Math.max(1, Math.round(TARGET / nx));
  const panel = { width: nx * scale, height: ny * scale };
  const columns = Math.min(4, figure.versions.length + 1);
  const rows = Math.ceil((figure.versions.length + 1) / columns);
  const legend = figure.organs.map(({ name }, i) => `${i + 1} ${name}`);
  const legendWidth = SWATCH + textWidth(longest(legend)) + 2 * GAP;
  const legendColumns = Math.max(1, Math.floor((columns * (panel.width + GAP)) / legendWidth));
  const legendRows = Math.ceil(legend.length / legendColumns);
  const top = GAP + figure.heading.length * LINE;
  const canvas = new Canvas(
    Math.max(GAP + columns * (panel.width + GAP), GAP * 2 + textWidth(longest(figure.heading))),
    top + rows * (panel.height + LINE + GAP) + legendRows * LINE + GAP,
  );
  figure.heading.forEach((line, i) =>
    canvas.text(GAP, GAP + i * LINE, line, i === 0 ? [0, 0, 0] : [138, 59, 0]),
  );
  const panels = [{ name: "CT", labels: null }, ...figure.versions];
  panels.forEach(({ name, labels }, n) => {
    const x = GAP + (n % columns) * (panel.width + GAP);
    const y = top + Math.floor(n / columns) * (panel.height + LINE + GAP);
    canvas.text(x, y, name, [0, 0, 0]);
    drawSlice(canvas, x, y + LINE, scale, figure, labels);
    if (labels) drawNumbers(canvas, x, y + LINE, scale, figure, labels);
  });
  legend.forEach((text, i) => {
    const x = GAP + (i % legendColumns) * legendWidth;
    const y = canvas.height - GAP - (legendRows - Math.floor(i / legendColumns)) * LINE;
    canvas.box(x, y, 16, 14, labelColour(i));
    canvas.text(x + SWATCH, y, text, [0, 0, 0]);
  });
  return encode({ width: canvas.width, height: canvas.height, data: canvas.pixels, channels: 3, depth: 8 });
}

/** Draws anterior up and the patient's right on the left: both in-plane axes of a RAS volume run backwards. */
function drawSlice(
  canvas: Canvas,
  left: number,
  top: number,
  scale: number,
  figure: Qualitative,
  labels: LabelVolume | null,
): void {
  const [nx, ny] = figure.image.size;
  const [low, high] = figure.window;
  const colours = new Map(figure.organs.map((organ, i) => [organ.id, labelColour(i)]));
  for (let y = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++) {
      const at = x + nx * (y + ny * figure.slice);
      const grey = Math.round((255 * ((figure.image.data[at] ?? low) - low)) / (high - low));
      const level = Math.max(0, Math.min(255, grey));
      const colour = labels ? colours.get(labels.data[at] ?? 0) : undefined;
      const mixed = colour ? colour.map((c) => Math.round(0.35 * level + 0.65 * c)) : [level, level, level];
      canvas.box(left + (nx - 1 - x) * scale, top + (ny - 1 - y) * scale, scale, scale, mixed);
    }
  }
}

/** Writes each organ's number on the organ's voxel nearest to its centre. An organ smaller than its number gets none. */
function drawNumbers(
  canvas: Canvas,
  left: number,
  top: number,
  scale: number,
  { image: { size }, organs, slice }: Qualitative,
  labels: LabelVolume,
): void {
  const [nx, ny] = size;
  organs.forEach(({ id }, i) => {
    const text = String(i + 1);
    const [width, height] = [textWidth(text), GLYPH.height * TEXT];
    const voxels: [number, number][] = [];
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) if (labels.data[x + nx * (y + ny * slice)] === id) voxels.push([x, y]);
    if (voxels.length * scale ** 2 < width * height) return;
    const [mx, my] = [mean(voxels.map(([x]) => x)), mean(voxels.map(([, y]) => y))];
    const far = ([x, y]: readonly [number, number]) => (x - mx) ** 2 + (y - my) ** 2;
    const [x, y] = voxels.reduce((best, voxel) => (far(voxel) < far(best) ? voxel : best));
    const centre = [left + (nx - 0.5 - x) * scale, top + (ny - 0.5 - y) * scale] as const;
    const [atX, atY] = [Math.round(centre[0] - width / 2), Math.round(centre[1] - height / 2)];
    for (const [dx, dy] of HALO) canvas.text(atX + dx, atY + dy, text, [255, 255, 255]);
    canvas.text(atX, atY, text, [0, 0, 0]);
  });
}

const HALO = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy] as const));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

class Canvas {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3).fill(255);
  }

  box(left: number, top: number, width: number, height: number, colour: readonly number[]): void {
    for (let y = top; y < Math.min(top + height, this.height); y++) {
      for (let x = left; x < Math.min(left + width, this.width); x++)
        this.pixels.set(colour, 3 * (y * this.width + x));
    }
  }

  text(left: number, top: number, text: string, colour: readonly number[]): void {
    drawText(text, (x, y) => this.box(left + x * TEXT, top + y * TEXT, TEXT, TEXT, colour));
  }
}

const textWidth = (text: string) => text.length * GLYPH.advance * TEXT;
const longest = (lines: readonly string[]) => lines.reduce((a, b) => (b.length > a.length ? b : a), "");
