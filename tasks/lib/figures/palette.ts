/** Eight colours that stay apart for the colour-blind (after Okabe and Ito), each with a marker shape of its own. */
export const PALETTE = [
  "#000000",
  "#e69f00",
  "#56b4e9",
  "#009e73",
  "#0072b2",
  "#d55e00",
  "#cc79a7",
  "#8c6d1f",
] as const;

export const MARKERS = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "cross",
  "plus",
  "down",
  "hexagon",
] as const;
export type Marker = (typeof MARKERS)[number];

export interface Style {
  readonly colour: string;
  readonly marker: Marker;
}

/** The look of the n-th series; colours and markers repeat out of step so that more than eight stay distinct. */
export function seriesStyle(n: number): Style {
  return {
    colour: PALETTE[n % PALETTE.length] ?? "#000000",
    marker: MARKERS[(n + Math.floor(n / PALETTE.length)) % MARKERS.length] ?? "circle",
  };
}

/** Distinct label colours for overlays: golden-angle hues, two lightness levels; index 0 is the first organ. */
export function labelColour(n: number): readonly [number, number, number] {
  const hue = (n * 137.508 + 20) % 360;
  const lightness = n % 2 === 0 ? 0.55 : 0.7;
  const a = 0.85 * Math.min(lightness, 1 - lightness);
  const channel = (k: number) => {
    const t = (k + hue / 30) % 12;
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(t - 3, 9 - t, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
