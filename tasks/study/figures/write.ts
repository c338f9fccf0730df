/** Writes a drawing as SVG, PDF and PNG. The same drawing gives the same bytes. */
import { writeFileSync } from "node:fs";
import type { Drawing } from "./drawing.ts";
import { pdfOf } from "./pdf.ts";
import { pngOf } from "./png.ts";
import { svgOf } from "./svg.ts";

export const FORMATS = ["svg", "pdf", "png"] as const;

/** @param path where to write the file of a format */
export async function writeFigure(
  drawing: Drawing,
  path: (format: (typeof FORMATS)[number]) => string,
): Promise<void> {
  const svg = svgOf(drawing);
  writeFileSync(path("svg"), svg);
  writeFileSync(path("pdf"), await pdfOf(drawing));
  writeFileSync(path("png"), await pngOf(svg));
}
