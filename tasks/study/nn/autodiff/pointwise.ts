/** Operations without parameters: leaky ReLU, addition, concatenation, nearest-neighbour enlargement. */
import { float } from "../onnx/graph.ts";
import type { Tape, Tensor } from "./tape.ts";
import { slice } from "./shapes.ts";

const slope = 0.01;

/** Gives max(x, 0.01·x); the derivative at exactly 0 is 0.01. */
export function leakyRelu(tape: Tape, x: Tensor): Tensor {
  const g = tape.graph;
  const forward = g.node("LeakyRelu", [x.value], { alpha: float(slope) });
  return tape.record([x], forward, x.shape, (upstream) => {
    // The factor is 1 where x > 0, else the slope. Scaling x up and clipping it is far faster here than Where.
    const enlarged = g.node("Mul", [forward, g.scalar(3e38)]);
    const factor = g.node("Clip", [enlarged, g.scalar(slope), g.scalar(1)]);
    return [g.node("Mul", [upstream, factor])];
  });
}

/** Adds two tensors of equal shape, element by element. */
export function add(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const forward = tape.graph.node("Add", [a.value, b.value]);
  return tape.record([a, b], forward, a.shape, (upstream) => [upstream, upstream]);
}

/** Concatenates along channels (axis 1). */
export function concat(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const g = tape.graph;
  const cut = a.shape[1]!;
  const end = cut + b.shape[1]!;
  const shape = [a.shape[0]!, end, ...a.shape.slice(2)];
  const forward = g.node("Concat", [a.value, b.value], { axis: 1 });
  return tape.record([a, b], forward, shape, (upstream) => [
    slice(g, upstream, [1], [0], [cut]),
    slice(g, upstream, [1], [cut], [end]),
  ]);
}

/** Enlarges the last three axes by nearest neighbour: source index = floor(index·from/to). */
export function enlargeNearest(tape: Tape, x: Tensor, size: readonly number[]): Tensor {
  const g = tape.graph;
  const shape = [...x.shape.slice(0, 2), ...size];
  const sources = size.map((to, i) =>
    Array.from({ length: to }, (_, index) => Math.floor((index * x.shape[2 + i]!) / to)),
  );
  let forward = x.value;
  for (const [i, source] of sources.entries()) {
    forward = g.node("Gather", [forward, g.ints(source)], { axis: 2 + i });
  }
  return tape.record([x], forward, shape, (upstream) => {
    let gradient = upstream;
    for (const [i, source] of sources.entries()) {
      gradient = sumGroups(tape, gradient, source, x.shape[2 + i]!, 2 + i);
    }
    return [gradient];
  });
}

/** Adds the elements that have the same source, along `axis`. */
function sumGroups(
  tape: Tape,
  value: string,
  source: readonly number[],
  groups: number,
  axis: number,
): string {
  const g = tape.graph;
  const starts = Array.from({ length: groups }, (_, group) => source.indexOf(group));
  const ends = Array.from({ length: groups }, (_, group) => source.lastIndexOf(group) + 1);
  const longest = Math.max(...starts.map((start, i) => ends[i]! - start));
  // Round k takes the k-th element of each group. A group that has fewer elements takes the zero appended at the end.
  const zero = source.length;
  const pads = Array.from({ length: 10 }, (_, i) => (i === 5 + axis ? 1 : 0));
  const padded = g.node("Pad", [value, g.ints(pads)]);
  const rounds = Array.from({ length: longest }, (_, k) => {
    const indices = starts.map((start, i) => (start >= 0 && start + k < ends[i]! ? start + k : zero));
    return g.node("Gather", [padded, g.ints(indices)], { axis });
  });
  return g.node("Sum", rounds);
}
