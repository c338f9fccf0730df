/**
 * Figure 2: label quality against in-domain performance. One panel for each dataset (columns) and metric (rows), one
 * marker for each label version, one legend. Every series has its own marker and its own colour, so that the figure
 * can be read in grey print and by colour-blind readers.
 */
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { escapeHtml } from "../tables/html.ts";
import { seriesStyle, type Marker } from "./palette.ts";

export interface Scatter {
  readonly title: string;
  /** Line above the panels, where the numbers are synthetic. */
  readonly notice: string | null;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly columns: readonly string[];
  readonly metrics: readonly string[];
  readonly series: readonly string[];
  /** points[metric][column][series], in percent; null for a series without a point. */
  readonly points: readonly (readonly (readonly ({ readonly x: number; readonly y: number } | null)[])[])[];
}

const PANEL = { width: 190, height: 170, left: 46, top: 26, right: 12, bottom: 38 };
const HEAD = 62;
/** The notice and the legend fit into this width. */
const LEAST_WIDTH = 840;

/** Text of the SVG. */
export function renderScatter(figure: Scatter): string {
  const cellWidth = PANEL.left + PANEL.width + PANEL.right;
  const cellHeight = PANEL.top + PANEL.height + PANEL.bottom;
  const width = Math.max(LEAST_WIDTH, figure.columns.length * cellWidth + 20);
  const perRow = Math.max(1, Math.floor(width / 130));
  const legendHeight = 24 * Math.ceil(figure.series.length / perRow) + 16;
  const height = HEAD + figure.metrics.length * cellHeight + legendHeight;
  const panels = figure.metrics.flatMap((metric, m) =>
    figure.columns.map((column, c) => {
      const x = 10 + c * cellWidth + PANEL.left;
      const y = HEAD + m * cellHeight + PANEL.top;
      return `<g transform="translate(${x} ${y})">${panel(figure, m, c, `${column}, ${metric}`)}</g>`;
    }),
  );
  const legend = figure.series.map((name, i) => {
    const x = 30 + (i % perRow) * 130;
    const y = height - legendHeight + 16 + 24 * Math.floor(i / perRow);
    return `<g transform="translate(${x} ${y})">${marker(i)}<text x="10" y="4">${escapeHtml(name)}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1b1b1b">
<title>${escapeHtml(figure.title)}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="20" y="24" font-size="16" font-weight="bold">${escapeHtml(figure.title)}</text>
${figure.notice === null ? "" : `<text x="20" y="44" fill="#8a3b00">${escapeHtml(figure.notice)}</text>`}
${panels.join("\n")}
${legend.join("\n")}
</svg>
`;
}

function panel(figure: Scatter, metric: number, column: number, heading: string): string {
  const points = figure.points[metric]?.[column] ?? [];
  const present = points.filter((p) => p !== null);
  const x = percentScale(
    present.map((p) => p.x),
    [0, PANEL.width],
  );
  const y = percentScale(
    present.map((p) => p.y),
    [PANEL.height, 0],
  );
  const marks = points.map((point, i) =>
    point === null
      ? ""
      : `<g transform="translate(${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)})">${marker(i)}</g>`,
  );
  const empty =
    present.length === 0
      ? `<text x="${PANEL.width / 2}" y="${PANEL.height / 2}" text-anchor="middle">none converged</text>`
      : "";
  return `<text x="0" y="-9" font-weight="bold">${escapeHtml(heading)}</text>${axes(x, y)}${marks.join("")}${empty}
<text x="${PANEL.width / 2}" y="${PANEL.height + 32}" text-anchor="middle">${escapeHtml(figure.xLabel)}</text>
<text transform="translate(-34 ${PANEL.height / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(figure.yLabel)}</text>`;
}

function axes(x: ScaleLinear<number, number>, y: ScaleLinear<number, number>): string {
  const grid = [
    ...x.ticks(4).map((t) => {
      const at = x(t).toFixed(1);
      return `<path d="M${at} 0V${PANEL.height}" stroke="#e4e4e4"/><text x="${at}" y="${PANEL.height + 15}" text-anchor="middle" font-size="10">${t}</text>`;
    }),
    ...y.ticks(4).map((t) => {
      const at = y(t).toFixed(1);
      return `<path d="M0 ${at}H${PANEL.width}" stroke="#e4e4e4"/><text x="-5" y="${(y(t) + 3.5).toFixed(1)}" text-anchor="end" font-size="10">${t}</text>`;
    }),
  ];
  return `${grid.join("")}<path d="M0 0V${PANEL.height}H${PANEL.width}" fill="none" stroke="#333333"/>`;
}

/** A scale with round limits around the values. It goes beyond 100 % only by the size of a marker. `values` may be empty. */
function percentScale(
  values: readonly number[],
  range: readonly [number, number],
): ScaleLinear<number, number> {
  if (values.length === 0) return scaleLinear([0, 100], range);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const pad = Math.max(1, (high - low) * 0.08);
  const scale = scaleLinear([low - pad, high + pad], range).nice(4);
  const [start = 0, end = 100] = scale.domain();
  return scale.domain([start, Math.min(end, 100 + (100 - start) * 0.06)]);
}

const SHAPES: { readonly [shape in Marker]: string } = {
  circle: `<circle r="5"/>`,
  square: `<path d="M-4.5-4.5h9v9h-9z"/>`,
  triangle: `<path d="M0-5.5L5.2 4H-5.2z"/>`,
  diamond: `<path d="M0-6L6 0L0 6L-6 0z"/>`,
  cross: `<path d="M-4-4L4 4M4-4L-4 4" stroke-width="2.6" fill="none"/>`,
  plus: `<path d="M0-5.5V5.5M-5.5 0H5.5" stroke-width="2.6" fill="none"/>`,
  down: `<path d="M0 5.5L5.2-4H-5.2z"/>`,
  hexagon: `<path d="M5 0L2.5 4.4H-2.5L-5 0L-2.5-4.4H2.5z"/>`,
};

function marker(series: number): string {
  const style = seriesStyle(series);
  return `<g fill="${style.colour}" stroke="${style.colour}">${SHAPES[style.marker]}</g>`;
}
