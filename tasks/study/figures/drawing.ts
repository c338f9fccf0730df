/**
 * A figure as data. `write.ts` turns one drawing into SVG, PDF and PNG, so that the three show the same.
 *
 * Lengths are pixels of 1/96 inch; x grows to the right, y downwards. Colours are "#rrggbb".
 */
export interface Drawing {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** In the order of drawing: later ones cover earlier ones. */
  readonly shapes: readonly Shape[];
}

export type Shape = Path | Text | Picture;

export interface Path {
  readonly kind: "path";
  /** Path data of SVG, relative to `at`. */
  readonly d: string;
  readonly at: Place;
  /** Filled by the even-odd rule. */
  readonly fill?: string;
  readonly stroke?: string;
  /** 1 by default. */
  readonly strokeWidth?: number;
  /** From 0 to 1, of fill and stroke; 1 by default. */
  readonly opacity?: number;
}

export interface Text {
  readonly kind: "text";
  readonly text: string;
  /** The end of the baseline that `anchor` names. */
  readonly at: Place;
  /** Height of the font, 12 by default. */
  readonly size?: number;
  readonly bold?: boolean;
  /** INK by default. */
  readonly fill?: string;
  /** "start" by default. */
  readonly anchor?: "start" | "middle" | "end";
  /** Reads from bottom to top. */
  readonly upwards?: boolean;
  /** Colour of a line around the letters. */
  readonly halo?: string;
}

export interface Picture {
  readonly kind: "picture";
  /** Bytes of a PNG. Shapes that share one array share one copy in the file. */
  readonly png: Uint8Array;
  readonly at: Place;
  readonly width: number;
  readonly height: number;
}

export type Place = readonly [x: number, y: number];

export const INK = "#1b1b1b";
/** Colour of notices, such as that numbers are synthetic. */
export const NOTICE_INK = "#8a3b00";
export const TEXT_SIZE = 12;
export const HALO_WIDTH = 3;

export function box([x, y]: Place, width: number, height: number, fill: string): Path {
  return { kind: "path", at: [x, y], d: `M0 0H${width}V${height}H0z`, fill };
}

/** The width of a text is known only to a font. This is a little more than that of usual words. */
export function widthOfText(text: string, size = TEXT_SIZE): number {
  return text.length * size * 0.58;
}
