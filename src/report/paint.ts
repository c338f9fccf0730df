/** Colours text, if colours are on. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Matches every escape sequence that `painter` writes. */
export const COLOUR = new RegExp(`\\x1b\\[(?:0|${Object.values(CODES).join("|")})m`, "g");

export type Paint = (colour: keyof typeof CODES, text: string) => string;

export function painter(color: boolean): Paint {
  return color ? (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m` : (_, text) => text;
}
