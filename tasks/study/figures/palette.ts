/** Eight colours that colour-blind readers can tell apart (after Okabe and Ito). */
const PALETTE = [
  "#000000",
  "#e69f00",
  "#56b4e9",
  "#009e73",
  "#0072b2",
  "#d55e00",
  "#cc79a7",
  "#8c6d1f",
] as const;

const MARKERS = ["circle", "square", "triangle", "diamond", "cross", "plus", "down", "hexagon"] as const;
export type Marker = (typeof MARKERS)[number];

export interface Style {
  readonly colour: string;
  readonly marker: Marker;
}

/** Colour and marker of series `n` (from 0). After eight series the markers shift by one, so that 64 series all differ. */
export function seriesStyle(n: number): Style {
  return {
    colour: PALETTE[n % PALETTE.length] ?? "#000000",
    marker: MARKERS[(n + Math.floor(n / PALETTE.length)) % MARKERS.length] ?? "circle",
  };
}

/** Label colours that colour-blind readers can tell apart (Okabe and Ito's set, then Tol's "muted" set). */
const LABELS = [
  "#e69f00",
  "#56b4e9",
  "#009e73",
  "#f0e442",
  "#0072b2",
  "#d55e00",
  "#cc79a7",
  "#999933",
  "#882255",
  "#44aa99",
  "#332288",
  "#ddcc77",
  "#aa4499",
  "#88ccee",
  "#117733",
  "#cc6677",
] as const;

/** Colour of label `n` (from 0). Colours repeat after sixteen labels; the numbers on the picture do not. */
export function labelColour(n: number): string {
  return LABELS[n % LABELS.length] ?? LABELS[0];
}
