/**
 * Draws a graph from left to right. Nodes are links. Arrow keys move along the edges: left and right to what a node
 * reads from and to what reads it, up and down between those.
 */
import { Graph, layout } from "@dagrejs/dagre";
import { useMemo, useRef, useState } from "preact/hooks";
import { SIGNS, type State } from "../model/tasks.ts";
import type { Part } from "./basics.tsx";

export interface ChartNode {
  readonly label: string;
  readonly note: string;
  readonly href: string;
  readonly state: State | null;
  readonly parts: readonly Part[];
  /** Draw it with a thick outline. */
  readonly outlined: boolean;
}

/** Indices of the node that is read and of the node that reads it. */
export type ChartEdge = readonly [from: number, to: number];

/** Width of a character of a label in pixels, and the size of the rest of a node. */
const CHARACTER = 7.3;
const PADDING = 34;
const HEIGHT = 44;
const ZOOMS = [0.4, 0.6, 0.8, 1, 1.3, 1.7] as const;

export function GraphChart({ nodes, edges, label }: GraphChartProps) {
  const places = useMemo(() => placesOf(nodes, edges), [nodes, edges]);
  const [zoom, setZoom] = useState(3);
  const svg = useRef<SVGSVGElement>(null);
  const scale = ZOOMS[zoom] ?? 1;
  const focus = (node: number): void =>
    svg.current?.querySelector<SVGAElement>(`[data-node="${node}"]`)?.focus();
  const onKey = (event: KeyboardEvent): void => {
    const at = Number((event.target as Element).getAttribute("data-node") ?? NaN);
    const next = Number.isNaN(at) ? undefined : neighbour(event.key, at, edges, places);
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  };
  return (
    <>
      <p class="links">
        <button type="button" onClick={() => setZoom(Math.min(ZOOMS.length - 1, zoom + 1))}>
          zoom in
        </button>{" "}
        <button type="button" onClick={() => setZoom(Math.max(0, zoom - 1))}>
          zoom out
        </button>{" "}
        <span class="note">Arrow keys move along the edges; Enter opens.</span>
      </p>
      <div class="graph" tabIndex={0} role="region" aria-label={label}>
        <svg
          ref={svg}
          width={places.width * scale}
          height={places.height * scale}
          viewBox={`0 0 ${places.width} ${places.height}`}
          onKeyDown={onKey}
        >
          <g aria-hidden="true">
            {places.lines.map((line, i) => (
              <path key={i} class="edge" d={line} />
            ))}
          </g>
          {nodes.map((node, i) => (
            <Node key={i} node={node} place={places.nodes[i]!} index={i} />
          ))}
        </svg>
      </div>
    </>
  );
}

interface GraphChartProps {
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly ChartEdge[];
  readonly label: string;
}

interface Place {
  /** The centre. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function Node({ node, place: { x, y, width }, index }: NodeProps) {
  const { label, note, href, state, parts, outlined } = node;
  const [left, top, inner] = [x - width / 2, y - HEIGHT / 2, width - 20];
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  let at = left + 10;
  return (
    <a href={href} data-node={index} aria-label={[...new Set([label, state ?? "", note])].join(" ").trim()}>
      <rect
        class={outlined ? "node outlined" : "node"}
        x={left}
        y={top}
        width={width}
        height={HEIGHT}
        rx="7"
      />
      <text x={left + 10} y={top + 18}>
        {state === null ? "" : `${SIGNS[state]} `}
        {label}
      </text>
      {parts.length === 0 && (
        <text class="small" x={left + 10} y={top + 34}>
          {` ${note}`}
        </text>
      )}
      {parts.map(({ kind, value }) => {
        const size = (inner * value) / Math.max(1, total);
        at += size;
        return (
          value > 0 && (
            <rect key={kind} class={`fill ${kind}`} x={at - size} y={top + 29} width={size} height="7" />
          )
        );
      })}
    </a>
  );
}

interface NodeProps {
  readonly node: ChartNode;
  readonly place: Place;
  readonly index: number;
}

interface Places {
  readonly nodes: readonly Place[];
  readonly lines: readonly string[];
  readonly width: number;
  readonly height: number;
}

function placesOf(nodes: readonly ChartNode[], edges: readonly ChartEdge[]): Places {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 46, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [i, { label }] of nodes.entries())
    graph.setNode(String(i), { width: PADDING + CHARACTER * label.length, height: HEIGHT });
  for (const [from, to] of edges) graph.setEdge(String(from), String(to));
  layout(graph);
  const { width, height } = graph.graph();
  return {
    nodes: nodes.map((_, i) => graph.node(String(i))),
    lines: graph.edges().map((edge) => {
      const { points } = graph.edge(edge);
      return points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    }),
    // A graph without nodes has no size.
    width: nodes.length === 0 ? 1 : width,
    height: nodes.length === 0 ? 1 : height,
  };
}

function neighbour(
  key: string,
  at: number,
  edges: readonly ChartEdge[],
  { nodes }: Places,
): number | undefined {
  const before = edges.flatMap(([from, to]) => (to === at ? [from] : []));
  const after = edges.flatMap(([from, to]) => (from === at ? [to] : []));
  if (key === "ArrowLeft") return before[0];
  if (key === "ArrowRight") return after[0];
  if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
  // The nodes of the same column, from top to bottom.
  const x = nodes[at]?.x ?? 0;
  const column = nodes
    .flatMap((node, i) => (Math.abs(node.x - x) < 1 + node.width / 2 ? [{ i, y: node.y }] : []))
    .sort((a, b) => a.y - b.y);
  const place = column.findIndex(({ i }) => i === at);
  return column[place + (key === "ArrowUp" ? -1 : 1)]?.i;
}
