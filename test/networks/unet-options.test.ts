/**
 * Options of nnU-Net v2's U-Net that no golden model has: the non-linearity before the norm, norms without weights, no
 * bias. One channel and kernels of one voxel make the network a formula, which is written out here.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Network } from "../../tasks/study/networks/network.ts";
import { readStateDict } from "../../tasks/study/networks/state-dict.ts";
import {
  canonicalUNetName,
  unet,
  type UNetArchitecture,
  unusedUNetWeights,
} from "../../tasks/study/networks/unet.ts";
import { Storage, Tensor } from "../../tasks/study/torch/tensor.ts";
import { greatestDifference, run } from "../inference/golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

const one = [1, 1, 1];
const plain: UNetArchitecture = {
  encoder: "plain",
  features: [1, 1],
  kernels: [one, one],
  strides: [one, [2, 2, 2]],
  encoderBlocks: [1, 1],
  decoderBlocks: [1],
  stem: null,
  bias: true,
  affine: true,
  nonlinFirst: false,
  normEpsilon: 1e-5,
  slope: 0.1,
};
const edge = 4;
const image = Float32Array.from({ length: edge ** 3 }, (_, i) => Math.sin(i * 1.7) + 0.3);

/** Weights by name: of each convolution (factors, shift), each norm (gain, shift). */
const weights = {
  "encoder.stages.0.0.convs.0": { conv: [0.8], bias: 0.2, norm: [1.3, -0.1] },
  "encoder.stages.1.0.convs.0": { conv: [-1.1], bias: 0.1, norm: [0.7, 0.4] },
  "decoder.stages.0.convs.0": { conv: [0.9, -0.6], bias: -0.3, norm: [1.1, 0.2] },
};
const up = { kernel: Array.from({ length: 8 }, (_, i) => 0.5 + 0.2 * i), bias: 0.15 };
const head = { conv: [1.2, -0.7], bias: [0.05, 0.25] };

function stateDict(a: UNetArchitecture): Map<string, Tensor> {
  const path = join(testFolder(), "weights");
  const state = new Map<string, Tensor>();
  const bytes: Buffer[] = [];
  let start = 0;
  const add = (name: string, values: readonly number[], shape: readonly number[]) => {
    const data = Buffer.from(Float32Array.from(values).buffer);
    const storage = new Storage("float32", values.length, { path, start, length: data.length });
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((x, y) => x * y, 1));
    state.set(name, new Tensor(storage, 0, shape, strides));
    bytes.push(data);
    start += data.length;
  };
  for (const [name, { conv, bias, norm }] of Object.entries(weights)) {
    add(`${name}.conv.weight`, conv, [1, conv.length, 1, 1, 1]);
    if (a.bias) add(`${name}.conv.bias`, [bias], [1]);
    if (a.affine) add(`${name}.norm.weight`, [norm[0]!], [1]);
    if (a.affine) add(`${name}.norm.bias`, [norm[1]!], [1]);
  }
  add("decoder.transpconvs.0.weight", up.kernel, [1, 1, 2, 2, 2]);
  if (a.bias) add("decoder.transpconvs.0.bias", [up.bias], [1]);
  add("decoder.seg_layers.0.weight", head.conv, [2, 1, 1, 1, 1]);
  add("decoder.seg_layers.0.bias", head.bias, [2]);
  writeFileSync(path, Buffer.concat(bytes));
  return state;
}

/** The same network in double precision. */
function formula(a: UNetArchitecture): number[] {
  const block = (name: keyof typeof weights, ...inputs: number[][]) => {
    const { conv, bias, norm } = weights[name];
    const sums = inputs[0]!.map((_, i) =>
      inputs.reduce((s, x, c) => s + conv[c]! * x[i]!, a.bias ? bias : 0),
    );
    const bend = (values: number[]) => values.map((v) => (v > 0 ? v : a.slope * v));
    const normalise = (values: number[]) => {
      const mean = values.reduce((x, y) => x + y, 0) / values.length;
      const variance = values.reduce((x, y) => x + (y - mean) ** 2, 0) / values.length;
      const [gain, shift] = a.affine ? norm : [1, 0];
      return values.map((v) => ((v - mean) / Math.sqrt(variance + a.normEpsilon)) * gain! + shift!);
    };
    return a.nonlinFirst ? normalise(bend(sums)) : bend(normalise(sums));
  };
  const coarse = edge / 2;
  const places = Array.from({ length: edge ** 3 }, (_, i) => [
    Math.floor(i / edge ** 2),
    Math.floor(i / edge) % edge,
    i % edge,
  ]);
  const fine = block("encoder.stages.0.0.convs.0", [...image]);
  const strided = fine.filter((_, i) => places[i]!.every((v) => v % 2 === 0));
  const deep = block("encoder.stages.1.0.convs.0", strided);
  const raised = places.map(([z, y, x]) => {
    const at = (Math.floor(z! / 2) * coarse + Math.floor(y! / 2)) * coarse + Math.floor(x! / 2);
    const tap = ((z! % 2) * 2 + (y! % 2)) * 2 + (x! % 2);
    return deep[at]! * up.kernel[tap]! + (a.bias ? up.bias : 0);
  });
  const decoded = block("decoder.stages.0.convs.0", raised, fine);
  return head.conv.flatMap((w, k) => decoded.map((v) => w * v + head.bias[k]!));
}

test.each([
  ["nnU-Net's default", {}],
  ["the non-linearity first", { nonlinFirst: true }],
  ["norms without weights", { affine: false }],
  ["no bias", { bias: false }],
  ["ReLU first, norms without weights, no bias", { nonlinFirst: true, affine: false, bias: false, slope: 0 }],
] as const)("%s", async (_, change) => {
  const a = { ...plain, ...change };
  const path = join(testFolder(), "network");
  const network = new Network(path, stateDict(a));
  unet(network, a, 1, 2, [edge, edge, edge]);
  await network.write(unusedUNetWeights);
  const logits = await run(`${path}.onnx`, image, [1, 1, edge, edge, edge]);
  const expected = formula(a);
  expect(greatestDifference(logits, expected)).toBeLessThan(1e-5);
});

test("one weight under two names of nnU-Net's modules must have one value", async () => {
  const path = join(testFolder(), "weights");
  writeFileSync(path, Buffer.from(Float32Array.of(1, 2, 1, 3).buffer));
  const tensor = (start: number) =>
    new Tensor(new Storage("float32", 2, { path, start: 4 * start, length: 8 }), 0, [2], [1]);
  const name = "encoder.stages.0.0.convs.0.conv.bias";
  const twice = (second: Tensor) =>
    readStateDict(
      new Map([
        [name, tensor(0)],
        [`decoder.${name}`, second],
      ]),
      canonicalUNetName,
    );
  expect([...(await twice(tensor(0))).keys()]).toEqual([name]);
  await expect(twice(tensor(2))).rejects.toThrow(`two different tensors for ${name}`);
});
