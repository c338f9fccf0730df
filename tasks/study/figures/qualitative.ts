/**
 * Figure 1: slices of cases, each once as CT and once under each version of the labels, and a legend. The legend's
 * number stands on each organ, so that nobody has to tell colours apart.
 */
import { encode } from "fast-png";
import { resize } from "../resample/resize.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { box, type Drawing, NOTICE_INK, type Place, type Shape, TEXT_SIZE, widthOfText } from "./drawing.ts";
import { outlineOf } from "./outline.ts";
import { labelColour } from "./palette.ts";
import { fullestSlice, type Plane, type Slice } from "./slice.ts";

export interface Qualitative {
  readonly title: string;
  /** Line above the panels, where the images are synthetic. */
  readonly notice: string | null;
  readonly cases: readonly ShownCase[];
  readonly planes: readonly Plane[];
  /** Values of the image that become black and white, in its own units (HU for CT). */
  readonly window: readonly [number, number];
  readonly organs: readonly { readonly name: string; readonly id: number }[];
  /** Areas in half-transparent colour, or lines along their edges. */
  readonly labels: "filled" | "outlined";
}

/** All volumes of a case are on the image's grid, with axes in RAS order. */
export interface ShownCase {
  readonly name: string;
  readonly image: Volume;
  readonly versions: readonly { readonly name: string; readonly labels: LabelVolume }[];
}

/** One slice of a case: a row, or several, of panels. */
interface Block {
  readonly heading: string;
  readonly slice: Slice;
  readonly ct: Uint8Array;
  readonly panels: readonly { readonly name: string; readonly labels: LabelVolume | null }[];
  /** Pixels of the figure for a column and a row of the slice. */
  readonly unit: readonly [number, number];
}

const GAP = 12;
const LINE = 18;
const PANEL_WIDTH = 205;
const COLUMNS = 4;
const WIDTH = GAP + COLUMNS * (PANEL_WIDTH + GAP);
/** Width of a colour box in the legend with the space after it. */
const SWATCH = 20;

/** The slice of each plane is the one with the most labels of the first version. */
export async function drawQualitative(figure: Qualitative): Promise<Drawing> {
  const blocks = await Promise.all(
    figure.cases.flatMap((shown) => figure.planes.map((plane) => blockOf(figure, shown, plane))),
  );
  const shapes: Shape[] = [{ kind: "text", text: figure.title, at: [GAP, 24], size: 16, bold: true }];
  let top = 40;
  if (figure.notice !== null) {
    shapes.push({ kind: "text", text: figure.notice, at: [GAP, top + 4], fill: NOTICE_INK });
    top += LINE;
  }
  let letter = 0;
  for (const block of blocks) {
    shapes.push({ kind: "text", text: block.heading, at: [GAP, top + TEXT_SIZE], bold: true });
    top += LINE;
    const height = block.slice.rows * block.unit[1];
    for (const [n, { name, labels }] of block.panels.entries()) {
      const x = GAP + (n % COLUMNS) * (PANEL_WIDTH + GAP);
      const y = top + Math.floor(n / COLUMNS) * (height + LINE + GAP);
      shapes.push({ kind: "text", text: `(${letters(letter++)}) ${name}`, at: [x, y + TEXT_SIZE] });
      shapes.push(...panel(figure, block, labels, [x, y + LINE]));
    }
    top += Math.ceil(block.panels.length / COLUMNS) * (height + LINE + GAP);
  }
  const { legend, height } = legendOf(figure.organs, top);
  return {
    title: figure.title,
    width: WIDTH,
    height: Math.ceil(top + height),
    shapes: [...shapes, ...legend],
  };
}

async function blockOf(figure: Qualitative, shown: ShownCase, plane: Plane): Promise<Block> {
  const { image, versions } = shown;
  const slice = fullestSlice(versions[0]?.labels.data ?? [], image.size, image.spacing, plane);
  const [across, down] = slice.spacing;
  const perMillimetre = PANEL_WIDTH / (slice.columns * across);
  return {
    heading: `${shown.name}, ${plane} slice ${slice.index + 1} of ${slice.of}`,
    slice,
    ct: await greyPicture(image, slice, figure.window),
    panels: [{ name: "CT", labels: null }, ...versions],
    unit: [perMillimetre * across, perMillimetre * down],
  };
}

/** Bytes of a PNG with square pixels, smoothed by cubic splines, at least twice as fine as the panel. */
async function greyPicture(
  { data }: Volume,
  { columns, rows, spacing, at }: Slice,
  [low, high]: readonly [number, number],
): Promise<Uint8Array> {
  const values = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      values[row * columns + column] = Math.max(low, Math.min(high, data[at(column, row)] ?? low));
  }
  const width = Math.max(columns, 2 * PANEL_WIDTH);
  const height = Math.max(1, Math.round((width * rows * spacing[1]) / (columns * spacing[0])));
  const smooth = await resize(
    values,
    [1, rows, columns],
    [1, height, width],
    { orders: [0, 3, 3], alignment: "half-pixel" },
    Float32Array,
  );
  const grey = Uint8Array.from(smooth, (value) =>
    Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low)))),
  );
  return encode({ width, height, data: grey, channels: 1, depth: 8 });
}

function panel(figure: Qualitative, block: Block, labels: LabelVolume | null, at: Place): Shape[] {
  const { slice, unit, ct } = block;
  const [width, height] = [slice.columns * unit[0], slice.rows * unit[1]];
  const picture: Shape = { kind: "picture", png: ct, at, width, height };
  return labels === null
    ? [picture, ...edgeLetters(slice, at, width, height), ...scaleBar(slice, unit, at, height)]
    : [picture, ...areas(figure, block, labels, at)];
}

function areas(
  { organs, labels: look }: Qualitative,
  { slice, unit }: Block,
  { data }: LabelVolume,
  at: Place,
): Shape[] {
  const numbers: Shape[] = [];
  const outlines = organs.flatMap(({ id }, n): Shape[] => {
    const inside = (column: number, row: number) =>
      column >= 0 &&
      row >= 0 &&
      column < slice.columns &&
      row < slice.rows &&
      data[slice.at(column, row)] === id;
    const d = outlineOf(inside, slice.columns, slice.rows, unit);
    if (d === "") return [];
    numbers.push(...numberOf(String(n + 1), slice, inside, unit, at));
    const colour = labelColour(n);
    return look === "filled"
      ? [{ kind: "path", at, d, fill: colour, opacity: 0.6 }]
      : [{ kind: "path", at, d, stroke: colour, strokeWidth: 1.5 }];
  });
  return [...outlines, ...numbers];
}

/** The number of an organ, on its pixel nearest to its centre. An organ smaller than its number gets none. */
function numberOf(
  text: string,
  { columns, rows }: Slice,
  inside: (column: number, row: number) => boolean,
  unit: readonly [number, number],
  [left, top]: Place,
): Shape[] {
  const size = 11;
  const pixels: [number, number][] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) if (inside(column, row)) pixels.push([column, row]);
  if (pixels.length * unit[0] * unit[1] < widthOfText(text, size) * size) return [];
  const [mx, my] = [mean(pixels.map(([x]) => x)), mean(pixels.map(([, y]) => y))];
  const far = ([x, y]: readonly [number, number]) => (x - mx) ** 2 + (y - my) ** 2;
  const [x, y] = pixels.reduce((best, pixel) => (far(pixel) < far(best) ? pixel : best));
  const at: Place = [round(left + (x + 0.5) * unit[0]), round(top + (y + 0.5) * unit[1] + size * 0.36)];
  return [{ kind: "text", text, at, size, anchor: "middle", halo: "#ffffff" }];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const round = (value: number) => Number(value.toFixed(1));

/** Which side of the patient is at which edge. */
function edgeLetters({ edges }: Slice, [x, y]: Place, width: number, height: number): Shape[] {
  const [left, right, upper, lower] = edges;
  const look = { kind: "text", size: 10, fill: "#ffffff", halo: "#000000", anchor: "middle" } as const;
  return [
    { ...look, text: left, at: [x + 8, round(y + height / 2 + 4)] },
    { ...look, text: right, at: [round(x + width - 8), round(y + height / 2 + 4)] },
    { ...look, text: upper, at: [round(x + width / 2), y + 12] },
    { ...look, text: lower, at: [round(x + width / 2), round(y + height - 5)] },
  ];
}

/** A bar of a round length, at most two fifths of the panel, in its lower left corner. */
function scaleBar(slice: Slice, unit: readonly [number, number], [x, y]: Place, height: number): Shape[] {
  const extent = slice.columns * slice.spacing[0];
  const length = [100, 50, 20, 10, 5, 2, 1].find((each) => each <= 0.4 * extent);
  if (length === undefined) return [];
  const pixels = round((length / slice.spacing[0]) * unit[0]);
  const base = round(y + height - 8);
  return [
    box([x + 7, base - 1], pixels + 2, 4, "#000000"),
    box([x + 8, base], pixels, 2, "#ffffff"),
    {
      kind: "text",
      text: `${length} mm`,
      at: [x + 8, base - 4],
      size: 10,
      fill: "#ffffff",
      halo: "#000000",
    },
  ];
}

function legendOf(organs: Qualitative["organs"], top: number): { legend: Shape[]; height: number } {
  const entries = organs.map(({ name }, n) => `${n + 1} ${name}`);
  const entry = SWATCH + Math.max(0, ...entries.map((text) => widthOfText(text))) + GAP;
  const columns = Math.max(1, Math.floor((WIDTH - GAP) / entry));
  const legend = entries.flatMap((text, n): Shape[] => {
    const x = round(GAP + (n % columns) * entry);
    const y = top + Math.floor(n / columns) * LINE;
    return [box([x, y], 14, 12, labelColour(n)), { kind: "text", text, at: [x + SWATCH, y + 10] }];
  });
  return { legend, height: Math.ceil(entries.length / columns) * LINE + GAP };
}

/** a, b, … z, aa, ab, … */
function letters(n: number): string {
  return (n >= 26 ? letters(Math.floor(n / 26) - 1) : "") + String.fromCharCode(97 + (n % 26));
}
