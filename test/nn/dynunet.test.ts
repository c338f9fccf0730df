/** Compares names, shapes and outputs with MONAI's DynUNet (golden 05; limit 5e-5 for float32). */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Triple } from "../../tasks/study/arrays.ts";
import { checkSpec, type DynUNetSpec } from "../../tasks/study/nn/dynunet.ts";
import { exportStateDict } from "../../tasks/study/nn/export.ts";
import { inferenceGraph } from "../../tasks/study/nn/inference-graph.ts";
import { networkOf } from "../../tasks/study/nn/network.ts";
import { onnxNetwork } from "../../tasks/study/nn/onnx-network.ts";
import { aliases, initialise, parameters } from "../../tasks/study/nn/parameters.ts";
import { decodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { floats, largestDifference } from "./golden.ts";
import { smallNetwork } from "./small-network.ts";

const folder = shared("golden/05_dynunet");

interface Model {
  name: string;
  kwargs: {
    in_channels: number;
    out_channels: number;
    kernel_size: (number | Triple)[];
    strides: (number | Triple)[];
    filters: number[];
    res_block: boolean;
    deep_supervision: boolean;
    deep_supr_num?: number;
  };
  keys: Record<string, number[]>;
  aliases: Record<string, string>;
}

const triple = (size: number | Triple): Triple => (typeof size === "number" ? [size, size, size] : size);

function readModel(name: string): { model: Model; spec: DynUNetSpec } {
  const { models } = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as { models: Model[] };
  const model = models.find((candidate) => candidate.name === name)!;
  const k = model.kwargs;
  const spec = {
    inChannels: k.in_channels,
    outChannels: k.out_channels,
    kernels: k.kernel_size.map(triple),
    strides: k.strides.map(triple),
    filters: k.filters,
    heads: k.deep_supervision ? k.deep_supr_num! : 0,
    residual: k.res_block,
    transposedBias: false,
  };
  return { model, spec };
}

const names = ["a_tiny3", "b_aniso4", "c_deepsup2", "d_resblock"];

describe.skipIf(folder === null).each(names)("%s", (name) => {
  test("has MONAI's names, shapes and second names, in order", () => {
    const { model, spec } = readModel(name);
    const own = parameters(spec).map((parameter) => [parameter.name, parameter.shape]);
    const expected = Object.entries(model.keys).filter(([key]) => !(key in model.aliases));
    expect(own).toEqual(expected);
    expect([...aliases(spec)]).toEqual(Object.entries(model.aliases));
    const dict = decodeSafetensors(exportStateDict({ spec, weights: initialise(spec, 1) }));
    expect([...dict.tensors.keys()]).toEqual(Object.keys(model.keys));
  });

  test("gives MONAI's output with a free input size, and on each backend with a fixed one", async () => {
    const { spec } = readModel(name);
    const weights = floats(await readNpz(`${folder}/${name}_weights.npz`));
    const io = await readNpz(`${folder}/${name}_io.npz`);
    const { shape, data } = io.get("input")!;
    const image = { shape, data: data as Float32Array };
    const patch = shape.slice(2) as unknown as Triple;
    const expected = io.get("output_eval_float64")!;
    const networks = await Promise.all([
      onnxNetwork(inferenceGraph(spec, weights), {}),
      ...backends.map((backend) => networkOf({ spec, weights }, patch, { backend })),
    ]);
    for (const network of networks) {
      const { logits } = await network.run({ image });
      expect(logits!.shape).toEqual(expected.shape);
      const difference = largestDifference(
        new Map([["logits", logits!.data]]),
        new Map([["logits", expected.data]]),
      );
      expect(difference).toBeLessThan(5e-5);
      console.log(`${name}: largest difference ${difference.toExponential(1)}`);
      await network.close();
    }
  });
});

const small = smallNetwork([64, 64, 64], { transposedBias: true });

test("initial weights are Kaiming-normal with a = 0.01 and depend on the seed alone", () => {
  const weights = initialise(small, 3);
  const conv = weights.get("upsamples.0.conv_block.conv1.conv.weight")!;
  const deviation = Math.sqrt(conv.reduce((sum, value) => sum + value ** 2, 0) / conv.length);
  expect(deviation / Math.sqrt(2 / 1.0001 / (128 * 27))).toBeCloseTo(1, 2);
  expect(new Set(weights.get("bottleneck.norm1.weight"))).toEqual(new Set([1]));
  expect(new Set(weights.get("output_block.conv.conv.bias"))).toEqual(new Set([0]));
  const again = (seed: number) => initialise(small, seed).get("upsamples.0.conv_block.conv1.conv.weight")!;
  expect(Buffer.from(again(3).buffer).equals(Buffer.from(conv.buffer))).toBe(true);
  expect(Buffer.from(again(4).buffer).equals(Buffer.from(conv.buffer))).toBe(false);
});

test("a wrong spec is refused, and the message names the field", () => {
  const broken: [Partial<DynUNetSpec>, RegExp][] = [
    [{ kernels: small.kernels.slice(1) }, /kernels has 2 levels/],
    [{ filters: [8, 8] }, /filters has 2 levels/],
    [{ kernels: [[2, 3, 3], ...small.kernels.slice(1)] }, /kernels must be odd/],
    [{ strides: [[1, 2, 2], ...small.strides.slice(1)] }, /first stride/],
    [{ heads: 2 }, /heads must be 0 to 1/],
    [{ outChannels: 1 }, /outChannels/],
  ];
  for (const [change, message] of broken) expect(() => checkSpec({ ...small, ...change })).toThrow(message);
});
