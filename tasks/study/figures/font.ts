/**
 * A 5×7 bitmap font for text in PNG figures (capitals, digits, some signs). It needs no font file, and the same text
 * gives the same bytes on every machine. A glyph has seven rows of two hexadecimal digits; bit 4 is the left column.
 */
const GLYPHS: { readonly [char: string]: string } = {
  A: "0e11111f111111",
  B: "1e11111e11111e",
  C: "0e11101010110e",
  D: "1e11111111111e",
  E: "1f10101e10101f",
  F: "1f10101e101010",
  G: "0e11101711110e",
  H: "1111111f111111",
  I: "0e04040404040e",
  J: "0702020202120c",
  K: "11121418141211",
  L: "1010101010101f",
  M: "111b1515111111",
  N: "11191513111111",
  O: "0e11111111110e",
  P: "1e11111e101010",
  Q: "0e11111115120d",
  R: "1e11111e141211",
  S: "0f10100e01011e",
  T: "1f040404040404",
  U: "1111111111110e",
  V: "11111111110a04",
  W: "11111115151b11",
  X: "11110a040a1111",
  Y: "11110a04040404",
  Z: "1f01020408101f",
  "0": "0e11131519110e",
  "1": "040c040404040e",
  "2": "0e11010608101f",
  "3": "0e11010601110e",
  "4": "02060a121f0202",
  "5": "1f101e0101110e",
  "6": "0e101e1111110e",
  "7": "1f010204080808",
  "8": "0e11110e11110e",
  "9": "0e11110f01010e",
  "-": "0000000e000000",
  ".": "00000000000c0c",
  ":": "000c0c000c0c00",
  "/": "01020204080810",
  "(": "02040808080402",
  ")": "08040202020408",
  ",": "000000000c0408",
  "+": "0004041f040400",
  "%": "19190204081313",
  " ": "00000000000000",
  "?": "0e110106040004",
};

export const GLYPH = { width: 5, height: 7, advance: 6 } as const;

/** Calls `dot(x, y)` for every set pixel of `text` in capitals. The top left corner is (0, 0). Unknown characters become "?". */
export function drawText(text: string, dot: (x: number, y: number) => void): void {
  Array.from(text.toUpperCase()).forEach((char, n) => {
    const rows = GLYPHS[char] ?? GLYPHS["?"] ?? "";
    for (let y = 0; y < GLYPH.height; y++) {
      const bits = parseInt(rows.slice(2 * y, 2 * y + 2), 16);
      for (let x = 0; x < GLYPH.width; x++) if (bits & (16 >> x)) dot(n * GLYPH.advance + x, y);
    }
  });
}
