/** Convolutions with a kernel longer along z than the volume, compared with sums in double precision. */
import { Tensor as OrtTensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import type { Triple } from "../../tasks/study/arrays.ts";
import { convolution } from "../../tasks/study/nn/autodiff/convolution.ts";
import { createTape } from "../../tasks/study/nn/autodiff/tape.ts";
import { createGraph } from "../../tasks/study/nn/onnx/graph.ts";
import { createSession } from "../../tasks/study/nn/session.ts";
import { createRandom } from "../../tasks/study/random.ts";

const [batch, from, to, height, width] = [2, 2, 3, 4, 5];
const product = (values: readonly number[]) => values.reduce((a, b) => a * b, 1);

/** Index along each axis, for all indices of an array with this shape in C order. */
function* indices(shape: readonly number[]): Generator<number[]> {
  for (let i = 0, count = product(shape); i < count; i++) {
    let rest = i;
    yield shape.map((n, axis) => {
      const inner = product(shape.slice(axis + 1));
      const at = Math.floor(rest / inner);
      rest -= at * inner;
      return at % n;
    });
  }
}

test.each([
  [[5, 3, 3], [1, 1, 1], 1],
  [[7, 3, 3], [1, 1, 1], 1],
  [[7, 3, 3], [1, 1, 1], 2],
  [[5, 3, 3], [1, 1, 1], 2],
  [[7, 1, 3], [1, 2, 2], 1],
  [[5, 5, 5], [2, 2, 2], 2],
] as [Triple, Triple, number][])("kernel %j, stride %j, depth %i", async (kernel, stride, depth) => {
  const size = [depth, height, width];
  const before = kernel.map((k, i) => Math.floor((k - stride[i]! + 1) / 2));
  const outSize = size.map((n, i) => Math.floor((n + 2 * before[i]! - kernel[i]!) / stride[i]!) + 1);
  const shapes = {
    x: [batch, from, ...size],
    weight: [to, from, ...kernel],
    upstream: [batch, to, ...outSize],
  };
  const random = createRandom(`${kernel.join()} ${depth}`);
  const values = (shape: readonly number[]) =>
    Float32Array.from({ length: product(shape) }, () => random.normal());
  const data = { x: values(shapes.x), weight: values(shapes.weight), upstream: values(shapes.upstream) };

  const graph = createGraph("deep");
  const tape = createTape(graph);
  const tensor = (name: "x" | "weight") => ({
    value: graph.input(name, "float32", shapes[name]),
    shape: shapes[name],
    differentiable: true,
  });
  const inputs = { x: tensor("x"), weight: tensor("weight") };
  const output = convolution(tape, inputs.x, inputs.weight, null, stride);
  expect(output.shape).toEqual(shapes.upstream);
  const gradient = graph.input("upstream", "float32", shapes.upstream);
  const gradientOf = tape.gradients([{ output, gradient }]);
  graph.output("out", output.value, "float32", shapes.upstream);
  graph.output("dx", gradientOf(inputs.x), "float32", shapes.x);
  graph.output("dw", gradientOf(inputs.weight), "float32", shapes.weight);
  const session = await createSession(graph.finish(), { training: true });
  const results = await session.run({
    x: new OrtTensor("float32", data.x, shapes.x),
    weight: new OrtTensor("float32", data.weight, shapes.weight),
    upstream: new OrtTensor("float32", data.upstream, shapes.upstream),
  });
  await session.release();

  const expected = {
    out: new Float64Array(data.upstream.length),
    dx: new Float64Array(data.x.length),
    dw: new Float64Array(data.weight.length),
  };
  const taps = [...indices(shapes.weight)];
  let o = 0;
  for (const [n, channel, ...at] of indices(shapes.upstream)) {
    for (const [w, [co, ci, ...tap]] of taps.entries()) {
      if (co !== channel) continue;
      const place = at.map((v, i) => v * stride[i]! + tap[i]! - before[i]!);
      if (place.some((v, i) => v < 0 || v >= size[i]!)) continue;
      const x = [n!, ci!, ...place].reduce((index, v, i) => index * shapes.x[i]! + v, 0);
      expected.out[o]! += data.x[x]! * data.weight[w]!;
      expected.dx[x]! += data.upstream[o]! * data.weight[w]!;
      expected.dw[w]! += data.upstream[o]! * data.x[x]!;
    }
    o++;
  }
  for (const [name, values] of Object.entries(expected)) {
    const found = results[name]!.data as Float32Array;
    expect(found).toHaveLength(values.length);
    values.forEach((value, i) => expect(Math.abs(found[i]! - value), `${name}[${i}]`).toBeLessThan(1e-4));
  }
});
