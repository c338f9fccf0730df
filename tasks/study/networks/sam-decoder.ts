/**
 * SAM's prompt encoder for boxes and its mask decoder as one ONNX graph. Sizes come from the weights.
 * Reference: facebookresearch/segment-anything modeling/{prompt_encoder,mask_decoder,transformer}.py.
 */
import type { Value } from "../nn/onnx/graph.ts";
import { add, attend, gelu, layerNorm, layerNorm2d, linear, reshape, slice, transpose } from "./attention.ts";
import type { Network } from "./network.ts";
import type { SamImageShape } from "./sam-encoder.ts";
import { countNames } from "./state-dict.ts";

/** Weights for point and mask prompts, which are not used here. */
export const unusedSamDecoderWeights =
  /^prompt_encoder\.(point_embeddings\.[01]\.|not_a_point_embed\.|mask_downscaling\.)/;

/**
 * Inputs: `image_embeddings` (1, channels, grid, grid), and `boxes` (boxes, 4) as (x0, y0, x1, y1) in pixels of the
 * encoder's input. Outputs: `masks` (boxes, masks, 4·grid, 4·grid), the raw logits of SAM's mask tokens (0: the single
 * mask; 1 …: the multiple masks), and `iou` (boxes, masks). `heads` is the number of attention heads of the decoder;
 * the weights do not contain it, and every released SAM has 8. Throws an Error if weights do not fit.
 */
export function samDecoder(n: Network, image: SamImageShape, heads = 8): void {
  const { grid, channels, size } = image;
  const { graph } = n;
  const embedding = graph.input("image_embeddings", "float32", [1, channels, grid, grid]);
  const boxes = graph.input("boxes", "float32", ["boxes", 4]);

  const own = countNames(n.state, "mask_decoder.output_hypernetworks_mlps.", ".layers.0.weight");
  const tokens = tokensOf(n, boxes, own, channels, size);
  const noMask = reshape(n, n.weight("prompt_encoder.no_mask_embed.weight", [1, channels]), [
    1,
    channels,
    1,
    1,
  ]);
  const pixels = transpose(n, reshape(n, add(n, embedding, noMask), [1, channels, -1]), [0, 2, 1]);
  const { queries, keys } = twoWayTransformer(n, tokens, pixels, gridPositions(n, grid, channels), heads);

  const plane = reshape(n, transpose(n, keys, [0, 2, 1]), [-1, channels, grid, grid]);
  let up = upscale(n, plane, "mask_decoder.output_upscaling.0");
  up = gelu(n, layerNorm2d(n, up, "mask_decoder.output_upscaling.1"));
  up = gelu(n, upscale(n, up, "mask_decoder.output_upscaling.3"));
  const features = n.shape("mask_decoder.output_upscaling.3.weight")[1]!;
  const hyper = Array.from({ length: own }, (_, i) =>
    mlp(n, slice(n, queries, 1, i + 1, i + 2), `mask_decoder.output_hypernetworks_mlps.${i}`),
  );
  const weights = graph.node("Concat", hyper, { axis: 1 });
  const masks = graph.node("MatMul", [weights, reshape(n, up, [0, features, -1])]);
  graph.output("masks", reshape(n, masks, [0, 0, 4 * grid, 4 * grid]), "float32", [
    "boxes",
    own,
    4 * grid,
    4 * grid,
  ]);
  const iou = mlp(n, slice(n, queries, 1, 0, 1), "mask_decoder.iou_prediction_head");
  graph.output("iou", reshape(n, iou, [-1, own]), "float32", ["boxes", own]);
}

/** IoU token, mask tokens and the two corners of the box: (boxes, 3 + masks, channels). */
function tokensOf(n: Network, boxes: Value, masks: number, channels: number, size: number): Value {
  const { graph } = n;
  const corners = graph.node("Mul", [
    reshape(n, graph.node("Add", [boxes, graph.scalar(0.5)]), [-1, 2, 2]),
    graph.scalar(1 / size),
  ]);
  const kinds = [2, 3].map((i) => n.weight(`prompt_encoder.point_embeddings.${i}.weight`, [1, channels]));
  const sparse = add(n, fourier(n, corners, channels), graph.node("Concat", kinds, { axis: 0 }));
  const learned = graph.node(
    "Concat",
    [
      n.weight("mask_decoder.iou_token.weight", [1, channels]),
      n.weight("mask_decoder.mask_tokens.weight", [masks, channels]),
    ],
    { axis: 0 },
  );
  const count = slice(n, graph.node("Shape", [boxes]), 0, 0, 1);
  const shape = graph.node("Concat", [count, graph.ints([masks + 1, channels])], { axis: 0 });
  return graph.node("Concat", [graph.node("Expand", [learned, shape]), sparse], { axis: 1 });
}

/** Sine and cosine of random projections of points (…, 2): x, then y, both in [0, 1]. */
function fourier(n: Network, points: Value, channels: number): Value {
  const { graph } = n;
  const name = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
  const matrix = n.weight(name, [2, channels / 2]);
  const centred = graph.node("Sub", [graph.node("Mul", [points, graph.scalar(2)]), graph.scalar(1)]);
  const angles = graph.node("Mul", [graph.node("MatMul", [centred, matrix]), graph.scalar(2 * Math.PI)]);
  return graph.node("Concat", [graph.node("Sin", [angles]), graph.node("Cos", [angles])], { axis: -1 });
}

/** Position codes of the centres of the grid's cells, row by row: (1, grid², channels). */
function gridPositions(n: Network, grid: number, channels: number): Value {
  const centres = Float32Array.from({ length: grid * grid * 2 }, (_, i) => {
    const cell = Math.floor(i / 2);
    return ((i % 2 === 0 ? cell % grid : Math.floor(cell / grid)) + 0.5) / grid;
  });
  return fourier(n, n.graph.constant(centres, [1, grid * grid, 2]), channels);
}

/** Tokens (boxes, t, channels) and pixels (1, grid², channels) attend to each other. */
function twoWayTransformer(
  n: Network,
  tokens: Value,
  pixels: Value,
  positions: Value,
  heads: number,
): { queries: Value; keys: Value } {
  const root = "mask_decoder.transformer";
  const depth = countNames(n.state, `${root}.layers.`, ".norm1.weight");
  const norm = (x: Value, name: string) => layerNorm(n, x, name, 1e-5);
  let queries = tokens;
  let keys = pixels;
  for (let i = 0; i < depth; i++) {
    const layer = `${root}.layers.${i}`;
    if (i === 0) {
      queries = attention(n, queries, queries, queries, `${layer}.self_attn`, heads);
    } else {
      const q = add(n, queries, tokens);
      queries = add(n, queries, attention(n, q, q, queries, `${layer}.self_attn`, heads));
    }
    queries = norm(queries, `${layer}.norm1`);
    let q = add(n, queries, tokens);
    let k = add(n, keys, positions);
    queries = add(n, queries, attention(n, q, k, keys, `${layer}.cross_attn_token_to_image`, heads));
    queries = norm(queries, `${layer}.norm2`);
    const hidden = n.graph.node("Relu", [linear(n, queries, `${layer}.mlp.lin1`)]);
    queries = norm(add(n, queries, linear(n, hidden, `${layer}.mlp.lin2`)), `${layer}.norm3`);
    q = add(n, queries, tokens);
    k = add(n, keys, positions);
    keys = add(n, keys, attention(n, k, q, queries, `${layer}.cross_attn_image_to_token`, heads));
    keys = norm(keys, `${layer}.norm4`);
  }
  const q = add(n, queries, tokens);
  const k = add(n, keys, positions);
  queries = add(n, queries, attention(n, q, k, keys, `${root}.final_attn_token_to_image`, heads));
  return { queries: norm(queries, `${root}.norm_final_attn`), keys };
}

function attention(n: Network, q: Value, k: Value, v: Value, name: string, heads: number): Value {
  const width = n.shape(`${name}.q_proj.weight`)[0]!;
  const depth = width / heads;
  if (!Number.isInteger(depth))
    throw new Error(`${name}: ${width} channels do not split into ${heads} heads`);
  const split = (x: Value, part: string, perm: readonly number[]) =>
    transpose(n, reshape(n, linear(n, x, `${name}.${part}`), [0, -1, heads, depth]), perm);
  const scaled = n.graph.node("Mul", [
    split(q, "q_proj", [0, 2, 1, 3]),
    n.graph.scalar(1 / Math.sqrt(depth)),
  ]);
  const y = attend(n, scaled, split(k, "k_proj", [0, 2, 3, 1]), split(v, "v_proj", [0, 2, 1, 3]));
  return linear(n, reshape(n, transpose(n, y, [0, 2, 1, 3]), [0, -1, width]), `${name}.out_proj`);
}

function upscale(n: Network, x: Value, name: string): Value {
  const [width, out] = n.shape(`${name}.weight`) as [number, number];
  const weights = [n.weight(`${name}.weight`, [width, out, 2, 2]), n.weight(`${name}.bias`, [out])];
  return n.graph.node("ConvTranspose", [x, ...weights], { kernel_shape: [2, 2], strides: [2, 2] });
}

/** Linear layers `NAME.layers.0`, `NAME.layers.1`, … with ReLU between them. */
function mlp(n: Network, x: Value, name: string): Value {
  const count = countNames(n.state, `${name}.layers.`, ".weight");
  let y = x;
  for (let i = 0; i < count; i++) {
    y = linear(n, y, `${name}.layers.${i}`);
    if (i < count - 1) y = n.graph.node("Relu", [y]);
  }
  return y;
}
