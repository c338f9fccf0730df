/** Transposed 3D convolution with kernel = stride: no two inputs meet, so it is a matrix product and a shuffle. */
import type { Value } from "../onnx/graph.ts";
import type { Tape, Tensor } from "./tape.ts";
import { multiply, product, reshape, sum, transpose } from "./shapes.ts";

/** x (N, I, z, y, x), weight (I, O, kz, ky, kx) → (N, O, z·kz, y·ky, x·kx). */
export function transposedConvolution(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const g = tape.graph;
  const [batch, from, ...size] = x.shape as [number, number, number, number, number];
  const [, to, kz, ky, kx] = weight.shape as [number, number, number, number, number];
  const voxels = product(size);
  const taps = kz * ky * kx;
  const shape = [batch, to, size[0] * kz, size[1] * ky, size[2] * kx];

  const inputs = reshape(g, x.value, [batch, from, voxels]);
  const matrix = reshape(g, weight.value, [from, to * taps]);
  const blocks = reshape(g, multiply(g, matrix, inputs, "a"), [batch, to, kz, ky, kx, ...size]);
  let forward = reshape(g, transpose(g, blocks, [0, 1, 5, 2, 6, 3, 7, 4]), shape);
  if (bias !== null) forward = g.node("Add", [forward, reshape(g, bias.value, [1, to, 1, 1, 1])]);

  const operands = [x, weight, ...(bias === null ? [] : [bias])];
  return tape.record(operands, forward, shape, (upstream) => {
    const split = reshape(g, upstream, [batch, to, size[0], kz, size[1], ky, size[2], kx]);
    const gathered = transpose(g, split, [0, 1, 3, 5, 7, 2, 4, 6]);
    const columns = reshape(g, gathered, [batch, to * taps, voxels]);
    const gradients: Value[] = [
      reshape(g, multiply(g, matrix, columns), x.shape),
      reshape(g, sum(g, multiply(g, inputs, columns, "b"), [0]), weight.shape),
    ];
    if (bias !== null) gradients.push(sum(g, upstream, [0, 2, 3, 4]));
    return gradients;
  });
}
