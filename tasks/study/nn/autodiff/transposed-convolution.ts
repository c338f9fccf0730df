/** Transposed 3D convolution with kernel = stride. Input voxels do not overlap, so it is a matrix product and a reordering. */
import type { Value } from "../onnx/graph.ts";
import type { Tape, Tensor } from "./tape.ts";
import { deinterleave, interleave, multiply, product, reshape, sum } from "./shapes.ts";

/** x (N, I, z, y, x) and weight (I, O, kz, ky, kx) give (N, O, z·kz, y·ky, x·kx). */
export function transposedConvolution(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const g = tape.graph;
  const [batch, from, ...size] = x.shape as [number, number, number, number, number];
  const [, to, ...kernel] = weight.shape as [number, number, number, number, number];
  const voxels = product(size);
  const taps = product(kernel);
  const shape = [batch, to, size[0] * kernel[0], size[1] * kernel[1], size[2] * kernel[2]];

  const inputs = reshape(g, x.value, [batch, from, voxels]);
  const matrix = reshape(g, weight.value, [from, to * taps]);
  const blocks = multiply(g, matrix, inputs, "a");
  let forward = reshape(g, interleave(g, blocks, batch * to, kernel, size), shape);
  if (bias !== null) forward = g.node("Add", [forward, reshape(g, bias.value, [1, to, 1, 1, 1])]);

  const operands = [x, weight, ...(bias === null ? [] : [bias])];
  return tape.record(operands, forward, shape, (upstream) => {
    const blocks = deinterleave(g, upstream, batch * to, kernel, size);
    const columns = reshape(g, blocks, [batch, to * taps, voxels]);
    const gradients: Value[] = [
      reshape(g, multiply(g, matrix, columns), x.shape),
      reshape(g, sum(g, multiply(g, inputs, columns, "b"), [0]), weight.shape),
    ];
    if (bias !== null) gradients.push(sum(g, upstream, [0, 2, 3, 4]));
    return gradients;
  });
}
