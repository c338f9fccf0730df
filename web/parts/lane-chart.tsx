/** Draws lanes on a canvas. The wheel zooms, dragging moves, and a click opens the task. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Lanes, Span } from "../model/lanes.ts";
import { duration } from "../model/format.ts";
import { href } from "../model/route.ts";

const LANE = 22;
const AXIS = 22;
const LABEL = 76;
/** How many milliseconds the narrowest view shows. */
const NARROWEST = 10;

export interface Range {
  readonly from: number;
  readonly to: number;
}

export function LaneChart({ lanes, critical, range, move }: LaneChartProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(800);
  const [tip, setTip] = useState("");
  const drag = useRef<{ readonly x: number; readonly range: Range; moved: boolean } | null>(null);
  const height = lanes.names.length * LANE + AXIS;
  useEffect(() => {
    const element = canvas.current!;
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current!;
    const dots = devicePixelRatio;
    element.width = width * dots;
    element.height = height * dots;
    element.style.height = `${height}px`;
    const context = element.getContext("2d");
    if (context === null) return;
    context.scale(dots, dots);
    draw(context, { lanes, critical, range, width, style: getComputedStyle(element) });
  });
  const timeAt = (x: number): number =>
    range.from + ((x - LABEL) / (width - LABEL)) * (range.to - range.from);
  const spanAt = ({ offsetX, offsetY }: MouseEvent): Span | undefined => {
    const slack = ((range.to - range.from) / width) * 2;
    const time = timeAt(offsetX);
    return lanes.spans.find(
      ({ lane, start, end }) =>
        lane === Math.floor(offsetY / LANE) && start - slack <= time && time <= end + slack,
    );
  };
  const zoom = (factor: number, at = (range.from + range.to) / 2): void => {
    const size = Math.max(NARROWEST, Math.min(lanes.end || 1, (range.to - range.from) * factor));
    const share = (at - range.from) / (range.to - range.from);
    const from = Math.max(0, Math.min((lanes.end || 1) - size, at - size * share));
    move({ from, to: from + size });
  };
  const shift = (by: number): void => {
    const size = range.to - range.from;
    const from = Math.max(0, Math.min((lanes.end || 1) - size, range.from + by * size));
    move({ from, to: from + size });
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = {
      ArrowLeft: () => shift(-0.2),
      ArrowRight: () => shift(0.2),
      "+": () => zoom(0.5),
      "-": () => zoom(2),
    }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
  };
  return (
    <div class="chart">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="img"
        aria-label="Timeline; arrow keys move it, plus and minus zoom; the table below has the same"
        onKeyDown={onKey}
        onWheel={(event) => {
          if (!event.ctrlKey && !event.shiftKey) return;
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.offsetX));
        }}
        onPointerDown={({ offsetX }) => (drag.current = { x: offsetX, range, moved: false })}
        onPointerMove={(event) => {
          setTip(tipOf(spanAt(event)));
          const at = drag.current;
          if (at === null || event.buttons === 0 || Math.abs(event.offsetX - at.x) < 3) return;
          at.moved = true;
          const size = at.range.to - at.range.from;
          const by = ((at.x - event.offsetX) / (width - LABEL)) * size;
          const from = Math.max(0, Math.min((lanes.end || 1) - size, at.range.from + by));
          move({ from, to: from + size });
        }}
        onPointerUp={(event) => {
          const span = drag.current?.moved === true ? undefined : spanAt(event);
          drag.current = null;
          if (span !== undefined) location.hash = href("task", span.task);
        }}
      />
      <p class="note tip">
        {tip === "" ? "Ctrl and the wheel zoom, dragging moves, a click opens a task." : tip}
      </p>
      <p class="links">
        <button type="button" onClick={() => zoom(0.5)}>
          zoom in
        </button>{" "}
        <button type="button" onClick={() => zoom(2)}>
          zoom out
        </button>{" "}
        <button type="button" onClick={() => move({ from: 0, to: lanes.end || 1 })}>
          all
        </button>
      </p>
    </div>
  );
}

interface LaneChartProps {
  readonly lanes: Lanes;
  readonly critical: ReadonlySet<string>;
  readonly range: Range;
  readonly move: (range: Range) => void;
}

function tipOf(span: Span | undefined): string {
  return span === undefined ? "" : `${span.task}: ${span.state}, ${duration((span.end - span.start) / 1000)}`;
}

interface Drawing extends Pick<LaneChartProps, "lanes" | "critical" | "range"> {
  readonly width: number;
  readonly style: CSSStyleDeclaration;
}

function draw(context: CanvasRenderingContext2D, { lanes, critical, range, width, style }: Drawing): void {
  const colour = (name: string): string => style.getPropertyValue(`--${name}`);
  const scale = (width - LABEL) / Math.max(1e-9, range.to - range.from);
  const x = (time: number): number => LABEL + (time - range.from) * scale;
  const bottom = lanes.names.length * LANE;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("muted");
  for (const time of ticks(range)) {
    context.fillRect(x(time), 0, 1, 0);
    context.fillText(tickText(time, range), Math.min(x(time), width - 46), bottom + 15);
    context.globalAlpha = 0.25;
    context.fillRect(x(time), 0, 1, bottom);
    context.globalAlpha = 1;
  }
  context.save();
  context.beginPath();
  context.rect(LABEL, 0, width - LABEL, bottom);
  context.clip();
  let drawn = { lane: -1, until: -1, state: "" };
  for (const { task, state, start, end, lane } of lanes.spans) {
    if (end < range.from || start > range.to) continue;
    const [left, size] = [x(start), Math.max(1, (end - start) * scale - 0.5)];
    // Draw only one of many spans within one pixel.
    if (lane === drawn.lane && left + size < drawn.until && state === drawn.state && !critical.has(task))
      continue;
    drawn = { lane, until: left + 1, state };
    context.fillStyle = colour(state === "retrying" ? "running" : state);
    context.fillRect(left, lane * LANE + 3, size, LANE - 6);
    if (!critical.has(task)) continue;
    context.strokeStyle = colour("ink");
    context.lineWidth = 2;
    context.strokeRect(left, lane * LANE + 2, size, LANE - 4);
  }
  context.restore();
  context.fillStyle = colour("muted");
  for (const [i, name] of lanes.names.entries()) context.fillText(name, 0, i * LANE + 15, LABEL - 8);
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5,
  864e5,
];

function* ticks({ from, to }: Range): Generator<number> {
  const step = STEPS.find((each) => (to - from) / each <= 8) ?? 864e5 * 7;
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) yield time;
}

function tickText(time: number, { from, to }: Range): string {
  const size = to - from;
  if (size < 2_000) return `${Math.round(time)} ms`;
  if (size < 300_000) return `${Math.round(time / 100) / 10} s`;
  return size < 4 * 36e5 ? `${Math.round(time / 6e4)} min` : `${Math.round(time / 36e4) / 10} h`;
}
