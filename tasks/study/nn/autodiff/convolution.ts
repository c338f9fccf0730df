/**
 * 3D convolution, its input gradient and its weight gradient, written for onnxruntime's CPU kernels.
 *
 * - correlation.ts computes the forward pass.
 * - gradients-together.ts computes both gradients when the stride is 1.
 * - Input gradient of a larger stride: each of the s³ phases of the input sees its own subset of taps. One
 *   convolution of the upstream gradient gives all phases as channels, which are then interleaved.
 *   (ConvTranspose is the textbook way and takes ten times as long.)
 * - Weight gradient: one matrix product. Its rows are shifted copies of the input, its columns shifted copies of
 *   the upstream gradient. The shift along z is applied to the upstream gradient, so 9 + 3 copies replace 27.
 */
import type { Triple } from "../../arrays.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import type { Tape, Tensor } from "./tape.ts";
import { correlate } from "./correlation.ts";
import { bothGradients, type Geometry, stack } from "./gradients-together.ts";
import { interleave, multiply, padSpace, product, reshape, slice, sum, transpose } from "./shapes.ts";

/** Convolves x (N, I, z, y, x) with weight (O, I, kz, ky, kx), adds bias (O) if given; padding (k − s + 1)/2, rounded down. */
export function convolution(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  stride: Triple,
): Tensor {
  const g = tape.graph;
  const c = geometry(x.shape, weight.shape, stride);
  const forward =
    bias === null
      ? correlate(g, x.value, weight.value, c)
      : g.node("Conv", [x.value, weight.value, bias.value], {
          kernel_shape: c.kernel,
          strides: c.stride,
          pads: [...c.before, ...c.after],
        });
  const shape = [c.batch, c.to, ...c.outputSize];
  return tape.record([x, weight, ...(bias === null ? [] : [bias])], forward, shape, (upstream) => [
    ...(x.differentiable && product(c.stride) === 1 && product(c.kernel) > 1
      ? bothGradients(g, upstream, x.value, weight.value, c)
      : [
          x.differentiable ? inputGradient(g, upstream, weight.value, c) : null,
          weightGradient(g, upstream, x.value, c),
        ]),
    ...(bias === null ? [] : [sum(g, upstream, [0, 2, 3, 4])]),
  ]);
}

function geometry(input: readonly number[], weight: readonly number[], stride: Triple): Geometry {
  const [batch, from, ...inputSize] = input as [number, number, number, number, number];
  const [to, , ...kernel] = weight as [number, number, number, number, number];
  const before = map((i) => Math.floor((kernel[i]! - stride[i]! + 1) / 2));
  const outputSize = map((i) => Math.floor((inputSize[i]! + 2 * before[i]! - kernel[i]!) / stride[i]!) + 1);
  return { batch, from, to, kernel, stride, before, after: before, inputSize, outputSize };
}

const axes = [0, 1, 2] as const;
const map = (f: (axis: number) => number): Triple => [f(0), f(1), f(2)];

/**
 * The taps of every phase along one axis. Input q = s·a + r meets output p = a + t through tap k = r + before − s·t.
 * The list has the tap for each phase r and each t, starting at t = `first`. Where no tap exists it has `kernel`,
 * which is outside the kernel and means zero.
 */
function phases(kernel: number, stride: number, before: number) {
  const first = Math.ceil((before - kernel + 1) / stride);
  const last = Math.floor((stride - 1 + before) / stride);
  const count = last - first + 1;
  const taps = Array.from({ length: stride * count }, (_, i) => {
    const tap = Math.floor(i / count) + before - stride * (first + (i % count));
    return tap >= 0 && tap < kernel ? tap : kernel;
  });
  return { first, count, taps };
}

function inputGradient(g: Graph, upstream: Value, weight: Value, c: Geometry): Value {
  const phase = axes.map((i) => phases(c.kernel[i], c.stride[i], c.before[i]));
  const count = map((i) => phase[i]!.count);
  const coarse = map((i) => Math.ceil(c.inputSize[i]! / c.stride[i]!));
  const chosen = multiply(g, reshape(g, weight, [c.to * c.from, product(c.kernel)]), selection(g, c, phase));
  const [sz, sy, sx] = c.stride;
  let taps = reshape(g, chosen, [c.to, c.from, sz, count[0], sy, count[1], sx, count[2]]);
  taps = transpose(g, taps, [1, 2, 4, 6, 0, 3, 5, 7]);
  const channels = product(c.stride) * c.from;
  const before = map((i) => -phase[i]!.first);
  const dx = correlate(g, upstream, reshape(g, taps, [channels, c.to, ...count]), {
    from: c.to,
    to: channels,
    kernel: count,
    stride: [1, 1, 1],
    before,
    after: map((i) => coarse[i]! + count[i]! - 1 - c.outputSize[i]! - before[i]!),
  });
  if (product(c.stride) === 1) return dx;
  const whole = map((i) => coarse[i]! * c.stride[i]!);
  const fine = interleave(g, dx, c.batch * c.from, c.stride, coarse);
  const full = reshape(g, fine, [c.batch, c.from, ...whole]);
  if (axes.every((i) => whole[i] === c.inputSize[i])) return full;
  return slice(g, full, [2, 3, 4], [0, 0, 0], c.inputSize);
}

/** A matrix of zeros and ones that picks the taps of all phases from the kernel's taps; faster than Gather. */
function selection(g: Graph, c: Geometry, phase: readonly { readonly taps: readonly number[] }[]): Value {
  const [z, y, x] = phase.map(({ taps }) => taps) as [number[], number[], number[]];
  const [kz, ky, kx] = c.kernel;
  const chosen = z.flatMap((tz) =>
    y.flatMap((ty) => x.map((tx) => (tz < kz && ty < ky && tx < kx ? tx + kx * (ty + ky * tz) : -1))),
  );
  const matrix = new Float32Array(product(c.kernel) * chosen.length);
  for (const [column, tap] of chosen.entries()) if (tap >= 0) matrix[tap * chosen.length + column] = 1;
  return g.constant(matrix, [product(c.kernel), chosen.length]);
}

function weightGradient(g: Graph, upstream: Value, x: Value, c: Geometry): Value {
  const [kz, ky, kx] = c.kernel;
  const voxels = product(c.outputSize);
  const shiftUpstream = kz > 1 && c.stride[0] === 1 && c.inputSize[0] === c.outputSize[0];
  const taps = { z: shiftUpstream ? 1 : kz, y: ky, x: kx };
  const inZ = shiftUpstream ? 0 : 1;
  const padded = padSpace(
    g,
    x,
    [c.before[0] * inZ, c.before[1], c.before[2]],
    [c.after[0] * inZ, c.after[1], c.after[2]],
  );
  const shifted: Value[] = [];
  for (let z = 0; z < taps.z; z++) {
    for (let y = 0; y < taps.y; y++) {
      for (let k = 0; k < taps.x; k++) shifted.push(tapSlice(g, padded, [z, y, k], c));
    }
  }
  const count = shifted.length;
  const rows = reshape(g, stack(g, shifted), [c.batch, count * c.from, voxels]);
  let left = upstream;
  if (shiftUpstream) {
    const deep = padSpace(g, upstream, [kz - 1 - c.before[0], 0, 0], [c.before[0], 0, 0]);
    left = stack(
      g,
      Array.from({ length: kz }, (_, k) => slice(g, deep, [2], [kz - 1 - k], [kz - 1 - k + c.outputSize[0]])),
    );
  }
  const columns = (shiftUpstream ? kz : 1) * c.to;
  const perSample = multiply(g, reshape(g, left, [c.batch, columns, voxels]), rows, "b");
  const total = c.batch === 1 ? perSample : sum(g, perSample, [0]);
  return shiftUpstream
    ? transpose(g, reshape(g, total, [kz, c.to, ky, kx, c.from]), [1, 4, 0, 2, 3])
    : transpose(g, reshape(g, total, [c.to, kz, ky, kx, c.from]), [0, 4, 1, 2, 3]);
}

/** The voxels of the padded input that one tap meets, in the output's shape. */
function tapSlice(g: Graph, padded: Value, tap: Triple, c: Geometry): Value {
  if (product(c.kernel) === 1 && product(c.stride) === 1) return padded;
  const ends = map((i) => tap[i]! + (c.outputSize[i]! - 1) * c.stride[i]! + 1);
  return slice(g, padded, [2, 3, 4], tap, ends, product(c.stride) === 1 ? undefined : c.stride);
}
