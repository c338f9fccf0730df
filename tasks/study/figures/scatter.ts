/**
 * Figure 2: label quality against in-domain performance. One panel for each dataset (columns) and metric (rows), one
 * marker for each label version, one legend. Every series has its own marker and its own colour, so that the figure
 * can be read in grey print and by colour-blind readers.
 */
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { type Drawing, NOTICE_INK, type Place, type Shape } from "./drawing.ts";
import { seriesStyle, type Marker } from "./palette.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Half the length of the bars through the point. */
  readonly spread?: { readonly x: number; readonly y: number };
}

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
  readonly points: readonly (readonly (readonly (Point | null)[])[])[];
  /** remarks[metric][column]: a line in the panel's corner; empty for none. */
  readonly remarks: readonly (readonly string[])[];
}

const PANEL = { width: 190, height: 170, left: 46, top: 26, right: 12, bottom: 38 };
const HEAD = 62;
/** Width of one entry of the legend. */
const ENTRY = 130;
/** The notice and the legend fit into this width. */
const LEAST_WIDTH = 840;

export function drawScatter(figure: Scatter): Drawing {
  const cellWidth = PANEL.left + PANEL.width + PANEL.right;
  const cellHeight = PANEL.top + PANEL.height + PANEL.bottom;
  const width = Math.max(LEAST_WIDTH, figure.columns.length * cellWidth + 20);
  const perRow = Math.max(1, Math.floor(width / ENTRY));
  const legendHeight = 24 * Math.ceil(figure.series.length / perRow) + 16;
  const height = HEAD + figure.metrics.length * cellHeight + legendHeight;
  const panels = figure.metrics.flatMap((metric, m) =>
    figure.columns.flatMap((column, c) => {
      const corner = [10 + c * cellWidth + PANEL.left, HEAD + m * cellHeight + PANEL.top] as const;
      return panel(figure, m, c, `${column}, ${metric}`, corner);
    }),
  );
  const legend = figure.series.flatMap((name, i) => {
    const x = 30 + (i % perRow) * ENTRY;
    const y = height - legendHeight + 16 + 24 * Math.floor(i / perRow);
    return [marker(i, [x, y]), { kind: "text", text: name, at: [x + 10, y + 4] } as const];
  });
  const notice: Shape[] =
    figure.notice === null ? [] : [{ kind: "text", text: figure.notice, at: [20, 44], fill: NOTICE_INK }];
  return {
    title: figure.title,
    width,
    height,
    shapes: [
      { kind: "text", text: figure.title, at: [20, 24], size: 16, bold: true },
      ...notice,
      ...panels,
      ...legend,
    ],
  };
}

/** @param corner the upper left end of the axes */
function panel(figure: Scatter, metric: number, column: number, heading: string, corner: Place): Shape[] {
  const points = figure.points[metric]?.[column] ?? [];
  const present = points.filter((point) => point !== null);
  const x = percentScale(
    present.flatMap((point) => ends(point.x, point.spread?.x)),
    [0, PANEL.width],
  );
  const y = percentScale(
    present.flatMap((point) => ends(point.y, point.spread?.y)),
    [PANEL.height, 0],
  );
  const at = (dx: number, dy: number): Place => [round(corner[0] + dx), round(corner[1] + dy)];
  const middle = PANEL.width / 2;
  const shown = points.flatMap((point, series) => (point === null ? [] : [{ point, series }]));
  const bars = shown.flatMap(({ point, series }) =>
    point.spread === undefined ? [] : [spreadBars(point, point.spread, series, x, y, corner)],
  );
  const marks = shown.map(({ point, series }) => marker(series, at(x(point.x), y(point.y))));
  const empty: Shape[] =
    present.length > 0
      ? []
      : [{ kind: "text", text: "none converged", at: at(middle, PANEL.height / 2), anchor: "middle" }];
  const remark = figure.remarks[metric]?.[column] ?? "";
  const remarks: Shape[] = remark === "" ? [] : [{ kind: "text", text: remark, at: at(4, 12), size: 10 }];
  return [
    { kind: "text", text: heading, at: at(0, -9), bold: true },
    ...axes(x, y, corner),
    ...bars,
    ...marks,
    ...empty,
    ...remarks,
    { kind: "text", text: figure.xLabel, at: at(middle, PANEL.height + 32), anchor: "middle" },
    { kind: "text", text: figure.yLabel, at: at(-34, PANEL.height / 2), anchor: "middle", upwards: true },
  ];
}

const ends = (at: number, spread = 0) => [at - spread, at + spread];
const round = (value: number) => Number(value.toFixed(1));

/** Thin lines in the colour of the series, cut at the edges of the panel. */
function spreadBars(
  point: Point,
  spread: { readonly x: number; readonly y: number },
  series: number,
  x: ScaleLinear<number, number>,
  y: ScaleLinear<number, number>,
  at: Place,
): Shape {
  const within = (scale: ScaleLinear<number, number>, value: number, most: number) =>
    round(Math.max(0, Math.min(most, scale(value))));
  const [left, right] = ends(point.x, spread.x).map((value) => within(x, value, PANEL.width));
  const [low, high] = ends(point.y, spread.y).map((value) => within(y, value, PANEL.height));
  const d = `M${left} ${round(y(point.y))}H${right}M${round(x(point.x))} ${low}V${high}`;
  return { kind: "path", at, d, stroke: seriesStyle(series).colour, opacity: 0.55 };
}

function axes(x: ScaleLinear<number, number>, y: ScaleLinear<number, number>, at: Place): Shape[] {
  const xs = x.ticks(4).flatMap((tick): Shape[] => {
    const place = round(x(tick));
    return [
      { kind: "path", at, d: `M${place} 0V${PANEL.height}`, stroke: "#e4e4e4" },
      {
        kind: "text",
        text: String(tick),
        at: [round(at[0] + place), at[1] + PANEL.height + 15],
        anchor: "middle",
        size: 10,
      },
    ];
  });
  const ys = y.ticks(4).flatMap((tick): Shape[] => {
    const place = round(y(tick));
    return [
      { kind: "path", at, d: `M0 ${place}H${PANEL.width}`, stroke: "#e4e4e4" },
      {
        kind: "text",
        text: String(tick),
        at: [at[0] - 5, round(at[1] + place + 3.5)],
        anchor: "end",
        size: 10,
      },
    ];
  });
  return [...xs, ...ys, { kind: "path", at, d: `M0 0V${PANEL.height}H${PANEL.width}`, stroke: "#333333" }];
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

/** Path data around (0, 0). A marker of lines alone has a thicker stroke and no fill. */
const MARKERS: { readonly [shape in Marker]: string } = {
  circle: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
  square: "M-4.5 -4.5h9v9h-9z",
  triangle: "M0 -5.5L5.2 4H-5.2z",
  diamond: "M0 -6L6 0L0 6L-6 0z",
  cross: "M-4 -4L4 4M4 -4L-4 4",
  plus: "M0 -5.5V5.5M-5.5 0H5.5",
  down: "M0 5.5L5.2 -4H-5.2z",
  hexagon: "M5 0L2.5 4.4H-2.5L-5 0L-2.5 -4.4H2.5z",
};

function marker(series: number, at: Place): Shape {
  const { colour, marker } = seriesStyle(series);
  const open = marker === "cross" || marker === "plus";
  return {
    kind: "path",
    at,
    d: MARKERS[marker],
    stroke: colour,
    ...(open ? { strokeWidth: 2.6 } : { fill: colour }),
  };
}
