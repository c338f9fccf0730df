/** Draws an SVG as PNG, at twice its size in pixels. */
import { readFileSync } from "node:fs";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import wasm from "@resvg/resvg-wasm/index_bg.wasm?file";
import { FONTS } from "./fonts.ts";

const SCALE = 2;
let ready: Promise<void> | null = null;

/** Bytes of the PNG. */
export async function pngOf(svg: string): Promise<Uint8Array> {
  await (ready ??= initWasm(readFileSync(wasm)));
  const fontBuffers = Object.values(FONTS).map((path) => readFileSync(path));
  const drawn = new Resvg(svg, {
    fitTo: { mode: "zoom", value: SCALE },
    font: { fontBuffers, defaultFontFamily: "Arimo" },
  });
  const png = drawn.render();
  try {
    return png.asPng();
  } finally {
    png.free();
    drawn.free();
  }
}
