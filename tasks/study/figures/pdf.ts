/** Writes a drawing as a PDF of one page, with vector shapes and embedded fonts. */
import { buffer } from "node:stream/consumers";
import PDFDocument from "pdfkit";
import { type Drawing, HALO_WIDTH, INK, type Path, type Picture, type Text, TEXT_SIZE } from "./drawing.ts";
import { FONTS } from "./fonts.ts";

type Document = InstanceType<typeof PDFDocument>;

/** A PDF counts in points of 1/72 inch. */
const POINTS = 72 / 96;

/** Bytes of the PDF. */
export async function pdfOf({ title, width, height, shapes }: Drawing): Promise<Uint8Array> {
  const document = new PDFDocument({
    size: [width * POINTS, height * POINTS],
    margin: 0,
    // A fixed date: the same drawing must give the same bytes.
    info: { Title: title, CreationDate: new Date(0) },
  });
  document.registerFont("regular", FONTS.regular).registerFont("bold", FONTS.bold);
  document.scale(POINTS);
  for (const shape of shapes) {
    document.save();
    if (shape.kind === "path") path(document, shape);
    else if (shape.kind === "text") text(document, shape);
    else picture(document, shape);
    document.restore();
  }
  document.end();
  return buffer(document);
}

function path(document: Document, { at, d, fill, stroke, strokeWidth = 1, opacity = 1 }: Path): void {
  document
    .translate(...at)
    .path(d)
    .lineWidth(strokeWidth)
    .opacity(opacity);
  if (fill !== undefined && stroke !== undefined) document.fillAndStroke(fill, stroke, "even-odd");
  else if (fill !== undefined) document.fill(fill, "even-odd");
  else if (stroke !== undefined) document.stroke(stroke);
}

function text(
  document: Document,
  { at, text, size = TEXT_SIZE, bold = false, fill = INK, anchor = "start", upwards = false, halo }: Text,
): void {
  document.font(bold ? "bold" : "regular", size).translate(...at);
  if (upwards) document.rotate(-90);
  const before = { start: 0, middle: 0.5, end: 1 }[anchor] * document.widthOfString(text);
  const write = (options: PDFKit.Mixins.TextOptions) =>
    document.text(text, -before, 0, { baseline: "alphabetic", lineBreak: false, ...options });
  if (halo !== undefined) {
    document.lineWidth(HALO_WIDTH).lineJoin("round").strokeColor(halo);
    write({ stroke: true, fill: false });
  }
  document.fillColor(fill);
  write({ fill: true });
}

// pdfkit keeps one copy of what it is given under the same text.
function picture(document: Document, { at: [x, y], png, width, height }: Picture): void {
  document.image(`data:image/png;base64,${Buffer.from(png).toString("base64")}`, x, y, { width, height });
}
