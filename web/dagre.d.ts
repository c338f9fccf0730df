/** The part of dagre that the page uses. The package's own types name files without endings, which TypeScript refuses. */
declare module "@dagrejs/dagre" {
  export interface Point {
    readonly x: number;
    readonly y: number;
  }
  export interface Edge {
    readonly v: string;
    readonly w: string;
  }
  export class Graph {
    setGraph(options: Readonly<Record<string, string | number>>): void;
    setDefaultEdgeLabel(label: () => object): void;
    setNode(name: string, size: { readonly width: number; readonly height: number }): void;
    setEdge(from: string, to: string): void;
    /** After the layout: the size of the drawing in pixels. */
    graph(): { readonly width: number; readonly height: number };
    /** After the layout: the centre and width of a node. */
    node(name: string): Point & { readonly width: number };
    edges(): readonly Edge[];
    edge(edge: Edge): { readonly points: readonly Point[] };
  }
  /** Adds places to the nodes and edges of the graph. */
  export function layout(graph: Graph): void;
}
