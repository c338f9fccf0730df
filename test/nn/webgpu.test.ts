/** Networks on WebGPU. A Vulkan driver in software (SwiftShader, which comes with Chromium) stands in for a GPU. */
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import type { NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { createGraph, type Graph, type Value } from "../../tasks/study/nn/onnx/graph.ts";
import { decodeModel, encodeModel } from "../../tasks/study/nn/onnx/proto.ts";
import { onnxNetwork } from "../../tasks/study/nn/onnx-network.ts";
import { createSession, type SessionOptions } from "../../tasks/study/nn/session.ts";
import { forWebGpu } from "../../tasks/study/nn/webgpu-graph.ts";
import { differing, greatestDifference } from "../inference/golden-network.ts";
import { testFolder } from "../helpers/folder.ts";
import { shared } from "../helpers/shared.ts";

const SOFTWARE = "/usr/lib/chromium/vk_swiftshader_icd.json";
const hasSoftware = existsSync(SOFTWARE);
const webGpu: SessionOptions = { device: "webgpu", devices: ["0"] };

beforeAll(() => {
  if (hasSoftware) process.env["VK_DRIVER_FILES"] ??= SOFTWARE;
});

/** A network of the input alone. */
function modelOf(shape: readonly number[], body: (g: Graph, x: Value) => Value): Uint8Array {
  const g = createGraph("small");
  const image = g.input("x", "float32", [...shape.slice(0, 2), ...shape.slice(2).map((_, i) => "zyx"[i]!)]);
  g.output("y", body(g, image), "float32", ["n", "c", ...shape.slice(2).map((_, i) => `o${i}`)]);
  return g.finish();
}

const numbers = (count: number, step = 0.37) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * step));

async function run(model: Uint8Array, shape: readonly number[], options: SessionOptions = {}) {
  const network = await onnxNetwork(model, options);
  const data = numbers(shape.reduce((a, b) => a * b, 1));
  const { y } = await network.run({ x: { shape: [...shape], data } });
  await network.close();
  return y!;
}

const upsampling = (kernel: readonly number[], bias: boolean) => (g: Graph, x: Value) => {
  const size = kernel.reduce((a, b) => a * b, 1);
  const weights = [g.constant(numbers(3 * 2 * size, 0.7), [3, 2, ...kernel], "w")];
  if (bias) weights.push(g.constant(Float32Array.of(0.5, -0.25), [2], "b"));
  return g.node("ConvTranspose", [x, ...weights], { kernel_shape: kernel, strides: kernel });
};

const NETWORKS: readonly [name: string, shape: number[], body: (g: Graph, x: Value) => Value][] = [
  ["a transposed convolution in 3D", [2, 3, 4, 3, 5], upsampling([1, 2, 3], true)],
  ["one without a bias", [1, 3, 2, 3, 4], upsampling([2, 2, 2], false)],
  ["one in 2D", [1, 3, 4, 5], upsampling([2, 2], true)],
  ["a sum of three", [1, 3, 4, 5], (g, x) => g.node("Sum", [x, g.scalar(2), x])],
];

describe.each(NETWORKS)("%s", (_, shape, body) => {
  test("is the same after it is rewritten", async () => {
    const model = modelOf(shape, body);
    const rewritten = forWebGpu(decodeModel(model));
    const left = rewritten.graph.node.map(({ opType }) => opType);
    expect(left.filter((op) => op === "ConvTranspose" || op === "Sum")).toEqual([]);
    const [expected, found] = [await run(model, shape), await run(encodeModel(rewritten), shape)];
    expect(found.shape).toEqual(expected.shape);
    expect(greatestDifference(found.data, expected.data)).toBeLessThan(1e-6);
  });

  test.skipIf(!hasSoftware)("is the same on WebGPU", async () => {
    const model = modelOf(shape, body);
    const [expected, found] = [await run(model, shape), await run(model, shape, webGpu)];
    expect(found.shape).toEqual(expected.shape);
    expect(greatestDifference(found.data, expected.data)).toBeLessThan(1e-5);
  });
});

const golden = shared("golden/04_nnunet_v2/m3");

test.skipIf(!hasSoftware || !golden)("a converted nnU-Net gives the labels of the CPU", async () => {
  const folder = testFolder();
  await convertModel(golden!, folder);
  const model = (await readModel(folder)) as NetworkModel;
  const shape = model.patch;
  const input = { data: numbers(shape[0] * shape[1] * shape[2] * model.channels, 0.01), shape };
  const lines: string[] = [];
  const settings = { mirror: "off", log: (line: string) => lines.push(line) } as const;
  const cpu = await predictPreprocessed(folder, model, input, settings);
  const gpu = await predictPreprocessed(folder, model, input, { ...settings, ...webGpu });
  const labels = (heads: readonly Float32Array[]) =>
    Uint8Array.from(heads[0]!, (_, i) =>
      heads.reduce((best, head, k) => (head[i]! > heads[best]![i]! ? k : best), 0),
    );
  expect(lines.filter((line) => line.includes(" on webgpu"))).not.toEqual([]);
  expect(Math.max(...gpu.map((head, k) => greatestDifference(head, cpu[k]!)))).toBeLessThan(1e-3);
  expect(differing(labels(gpu), labels(cpu))).toBe(0);
});

test.each([[[]], [["1"]]])("a task that does not hold the first GPU is refused: %j", async (devices) => {
  const model = modelOf([1, 1, 2, 2], (g, x) => g.node("Relu", [x]));
  await expect(createSession(model, { device: "webgpu", devices })).rejects.toThrow(
    /device: webgpu takes the machine's first GPU, but the task holds (none|GPU 1), so other tasks may use it/,
  );
});
