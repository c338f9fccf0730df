/**
 * SAM's image encoder (a ViT with windowed attention and decomposed relative positions) as an ONNX graph. All sizes
 * come from the weights. Reference: facebookresearch/segment-anything modeling/image_encoder.py.
 */
import type { Value } from "../nn/onnx/graph.ts";
import { add, attend, gelu, layerNorm, layerNorm2d, linear, reshape, slice, transpose } from "./attention.ts";
import type { Network } from "./network.ts";
import { countNames } from "./state-dict.ts";

const root = "image_encoder";

export interface SamImageShape {
  /** Pixels of the square input. */
  readonly size: number;
  /** Tokens along an edge. */
  readonly grid: number;
  /** Channels of the embedding. */
  readonly channels: number;
}

/**
 * Input `image` (1, 3, size, size), output `image_embeddings` (1, channels, grid, grid), both float32.
 * Throws an Error if the weights do not fit together.
 */
export function samEncoder(n: Network): SamImageShape {
  const patch = `${root}.patch_embed.proj`;
  const [width, , edge] = n.shape(`${patch}.weight`) as [number, number, number];
  const grid = n.shape(`${root}.pos_embed`)[1]!;
  const size = grid * edge;

  const image = n.graph.input("image", "float32", [1, 3, size, size]);
  const weights = [n.weight(`${patch}.weight`, [width, 3, edge, edge]), n.weight(`${patch}.bias`, [width])];
  const conv = n.graph.node("Conv", [image, ...weights], {
    kernel_shape: [edge, edge],
    strides: [edge, edge],
  });
  const position = n.weight(`${root}.pos_embed`, [1, grid, grid, width]);
  let x = add(n, transpose(n, conv, [0, 2, 3, 1]), position);

  const blocks = countNames(n.state, `${root}.blocks.`, ".norm1.weight");
  for (let b = 0; b < blocks; b++) x = block(n, x, `${root}.blocks.${b}`, grid, width);

  const channels = n.shape(`${root}.neck.0.weight`)[0]!;
  x = transpose(n, x, [0, 3, 1, 2]);
  x = n.graph.node("Conv", [x, n.weight(`${root}.neck.0.weight`, [channels, width, 1, 1])]);
  x = layerNorm2d(n, x, `${root}.neck.1`);
  const last = n.weight(`${root}.neck.2.weight`, [channels, channels, 3, 3]);
  x = layerNorm2d(n, n.graph.node("Conv", [x, last], { pads: [1, 1, 1, 1] }), `${root}.neck.3`);
  n.graph.output("image_embeddings", x, "float32", [1, channels, grid, grid]);
  return { size, grid, channels };
}

/** One transformer block; `x` and the result are (1, y, x, width). */
function block(n: Network, x: Value, name: string, grid: number, width: number): Value {
  const reach = (n.shape(`${name}.attn.rel_pos_h`)[0]! + 1) / 2;
  let y = layerNorm(n, x, `${name}.norm1`, 1e-6);
  if (reach !== grid) {
    y = partition(n, y, grid, reach, width);
    y = attention(n, y, `${name}.attn`, reach, width);
    y = join(n, y, grid, reach, width);
  } else {
    y = attention(n, y, `${name}.attn`, grid, width);
  }
  const sum = add(n, x, y);
  const hidden = gelu(n, linear(n, layerNorm(n, sum, `${name}.norm2`, 1e-6), `${name}.mlp.lin1`));
  return add(n, sum, linear(n, hidden, `${name}.mlp.lin2`));
}

/** Splits (1, grid, grid, width) into (windows, edge, edge, width), padded with zeros at the end of both axes. */
function partition(n: Network, x: Value, grid: number, edge: number, width: number): Value {
  const count = Math.ceil(grid / edge);
  const missing = count * edge - grid;
  const padded =
    missing > 0 ? n.graph.node("Pad", [x, n.graph.ints([0, 0, 0, 0, 0, missing, missing, 0])]) : x;
  const split = reshape(n, padded, [count, edge, count, edge, width]);
  return reshape(n, transpose(n, split, [0, 2, 1, 3, 4]), [count * count, edge, edge, width]);
}

/** Reverses `partition` and cuts off the padding. */
function join(n: Network, x: Value, grid: number, edge: number, width: number): Value {
  const count = Math.ceil(grid / edge);
  const split = transpose(n, reshape(n, x, [count, count, edge, edge, width]), [0, 2, 1, 3, 4]);
  const whole = reshape(n, split, [1, count * edge, count * edge, width]);
  return count * edge === grid ? whole : slice(n, slice(n, whole, 1, 0, grid), 2, 0, grid);
}

/** Self-attention inside (batch, edge, edge, width); relative positions are added to the scores. */
function attention(n: Network, x: Value, name: string, edge: number, width: number): Value {
  const depth = n.shape(`${name}.rel_pos_h`)[1]!;
  const heads = width / depth;
  if (!Number.isInteger(heads))
    throw new Error(`${name}: ${width} channels do not split into heads of ${depth}`);
  const tokens = edge * edge;
  const qkv = transpose(
    n,
    reshape(n, linear(n, x, `${name}.qkv`), [-1, tokens, 3, heads, depth]),
    [2, 0, 3, 1, 4],
  );
  const [q, k, v] = [0, 1, 2].map((i) => reshape(n, slice(n, qkv, 0, i, i + 1), [-1, tokens, depth]));

  const square = reshape(n, q!, [-1, edge, edge, depth]);
  const alongY = n.graph.node("MatMul", [square, relativePositions(n, `${name}.rel_pos_h`, edge, depth)]);
  const turned = transpose(n, square, [0, 2, 1, 3]);
  const alongX = transpose(
    n,
    n.graph.node("MatMul", [turned, relativePositions(n, `${name}.rel_pos_w`, edge, depth)]),
    [0, 2, 1, 3],
  );
  const scaled = n.graph.node("Mul", [q!, n.graph.scalar(1 / Math.sqrt(depth))]);
  const y = attend(n, scaled, transpose(n, k!, [0, 2, 1]), v!, (scores) => {
    const grid = reshape(n, scores, [-1, edge, edge, edge, edge]);
    const withY = add(n, grid, reshape(n, alongY, [-1, edge, edge, edge, 1]));
    return reshape(n, add(n, withY, reshape(n, alongX, [-1, edge, edge, 1, edge])), [-1, tokens, tokens]);
  });
  const together = transpose(n, reshape(n, y, [-1, heads, tokens, depth]), [0, 2, 1, 3]);
  return linear(n, reshape(n, together, [-1, edge, edge, width]), `${name}.proj`);
}

/** For each query position, the vectors of all key positions along one axis: (query, depth, key). */
function relativePositions(n: Network, name: string, edge: number, depth: number): Value {
  const table = n.weight(name, [2 * edge - 1, depth]);
  const index = Array.from({ length: edge * edge }, (_, i) => Math.floor(i / edge) - (i % edge) + edge - 1);
  const gathered = n.graph.node("Gather", [table, n.graph.ints(index)], { axis: 0 });
  return transpose(n, reshape(n, gathered, [edge, edge, depth]), [0, 2, 1]);
}
