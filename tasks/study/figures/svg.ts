/** Writes a drawing as SVG. */
import { escapeHtml } from "../tables/html.ts";
import { type Drawing, HALO_WIDTH, INK, type Path, type Picture, type Text, TEXT_SIZE } from "./drawing.ts";
import { FONT_FAMILY } from "./fonts.ts";

/** Text of the SVG. */
export function svgOf({ title, width, height, shapes }: Drawing): string {
  const pictures = [...new Set(shapes.flatMap((shape) => (shape.kind === "picture" ? [shape.png] : [])))];
  const lines = shapes.map((shape) =>
    shape.kind === "path" ? path(shape) : shape.kind === "text" ? text(shape) : picture(shape, pictures),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT_FAMILY}" font-size="${TEXT_SIZE}" fill="${INK}">
<title>${escapeHtml(title)}</title>
${pictures.length === 0 ? "" : `<defs>${pictures.map(defined).join("")}</defs>\n`}<rect width="${width}" height="${height}" fill="#ffffff"/>
${lines.join("\n")}
</svg>
`;
}

function path({ at: [x, y], d, fill, stroke, strokeWidth, opacity }: Path): string {
  return `<path d="${d}"${attributes({
    transform: x === 0 && y === 0 ? undefined : `translate(${x} ${y})`,
    fill: fill ?? "none",
    "fill-rule": fill === undefined ? undefined : "evenodd",
    stroke,
    "stroke-width": strokeWidth,
    opacity,
  })}/>`;
}

function text({ at: [x, y], text, size, bold, fill, anchor, upwards, halo }: Text): string {
  const around =
    halo === undefined ? {} : { stroke: halo, "stroke-width": HALO_WIDTH, "paint-order": "stroke" };
  return `<text${attributes({
    ...(upwards ? { transform: `translate(${x} ${y}) rotate(-90)` } : { x, y }),
    "font-size": size,
    "font-weight": bold ? "bold" : undefined,
    fill,
    "text-anchor": anchor,
    ...around,
    "stroke-linejoin": halo === undefined ? undefined : "round",
  })}>${escapeHtml(text)}</text>`;
}

// Each picture has a unit square as its size, so that each use can stretch it to its own.
function defined(png: Uint8Array, index: number): string {
  const bytes = Buffer.from(png).toString("base64");
  return `<image id="picture-${index}" width="1" height="1" preserveAspectRatio="none" href="data:image/png;base64,${bytes}"/>`;
}

function picture({ at: [x, y], png, width, height }: Picture, pictures: readonly Uint8Array[]): string {
  return `<use href="#picture-${pictures.indexOf(png)}" transform="translate(${x} ${y}) scale(${width} ${height})"/>`;
}

function attributes(values: { readonly [name: string]: string | number | undefined }): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? "" : ` ${name}="${value}"`))
    .join("");
}
