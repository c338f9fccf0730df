/**
 * The files from which a training can start. PyTorch 1.13 wrote `dynunet.pth` by `torch.save({ epoch, state_dict,
 * optimizer })` of a wrapped network: value i of parameter k is ((7i + k) mod 11 − 5) / 16.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { encodeCheckpoint } from "../../tasks/study/nn/checkpoint.ts";
import type { DynUNetSpec } from "../../tasks/study/nn/dynunet.ts";
import { exportStateDict } from "../../tasks/study/nn/export.ts";
import { initialise, parameters } from "../../tasks/study/nn/parameters.ts";
import { encodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { readStart } from "../../tasks/study/training/read-start.ts";
import { compareSettings, specOf, startWeights } from "../../tasks/study/training/start.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { testFolder } from "../helpers/folder.ts";

const fixture = new URL("dynunet.pth", import.meta.url).pathname;
const network = {
  kernels: [
    [3, 3, 3],
    [3, 3, 3],
    [3, 3, 3],
  ],
  strides: [
    [1, 1, 1],
    [2, 2, 2],
    [2, 2, 2],
  ],
  filters: [2, 3, 4],
  heads: 1,
  residual: true,
} as const;
const spec: DynUNetSpec = { inChannels: 1, outChannels: 3, ...network, transposedBias: true };
const settings = {
  patch: [8, 8, 8],
  spacing: [1, 1, 2],
  normalisation: { std: 1, mean: 0 },
  labels: { liver: 1 },
} as const;

let folder: string;
beforeEach(() => (folder = testFolder()));

function written(name: string, bytes: Uint8Array | string): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function ownCheckpoint(change: object = {}): string {
  const bytes = encodeCheckpoint({
    spec,
    weights: initialise(spec, "trained"),
    moments: null,
    step: 9,
    seed: 1,
    patch: [8, 8, 8],
    spacing: [1, 1, 2],
    normalisation: { mean: 0, std: 1 },
    labels: { spleen: 1, kidney: 2 },
    outcome: "converged",
    criterion: null,
    losses: [],
    ...change,
  });
  return written("own.safetensors", bytes);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength);

test("a .pth gives PyTorch's values, without the wrapper, duplicate names and the optimiser", async () => {
  const start = await readStart(fixture);
  expect(start.record).toBeNull();
  expect([...start.tensors].map(([name, { shape }]) => ({ name, shape }))).toEqual(parameters(spec));
  for (const [k, { data }] of [...start.tensors.values()].entries())
    expect(data).toEqual(data.map((_, i) => (((7 * i + k) % 11) - 5) / 16));
  expect(specOf(network, { liver: 1, spleen: 2 }, start)).toEqual(spec);
  expect(compareSettings(start, settings)).toEqual([
    `starts from ${fixture}`,
    "output layers start from random weights: 2 labels there, liver here",
    "the file does not say its patch, spacing and normalisation: they are not compared",
  ]);
});

test("a training can start from an exported file, whatever its name", async () => {
  const weights = initialise(spec, "trained");
  const start = await readStart(written("weights.bin", exportStateDict({ spec, weights })));
  expect(new Map([...start.tensors].map(([name, { data }]) => [name, data]))).toEqual(weights);
});

const golden = shared("golden/05_dynunet");
describe.skipIf(golden === null)("golden set 05: MONAI's state dicts are read exactly", () => {
  test.each(["a_tiny3", "b_aniso4", "c_deepsup2", "d_resblock"])("%s", async (name) => {
    const { tensors } = await readStart(`${golden}/${name}.pth`);
    const expected = await readNpz(`${golden}/${name}_weights.npz`);
    const { models } = JSON.parse(readFileSync(`${golden}/expected.json`, "utf8")) as {
      models: { name: string; n_distinct_tensors: number }[];
    };
    expect(tensors.size).toBe(models.find((model) => model.name === name)!.n_distinct_tensors);
    for (const [key, { shape, data }] of tensors) {
      expect(shape).toEqual(expected.get(key)!.shape);
      expect(bytesOf(data).equals(bytesOf(expected.get(key)!.data))).toBe(true);
    }
  });
});

test("all weights except the output layers come from the start file", async () => {
  const start = await readStart(ownCheckpoint());
  const here = { ...spec, outChannels: 7 };
  const [fresh, trained] = [initialise(here, 5), initialise(spec, "trained")];
  for (const [name, values] of startWeights(here, 5, start))
    expect(values).toEqual((/output_block|heads/.test(name) ? fresh : trained).get(name));
});

test("another network is refused; the error names the file, the tensors and both shapes", async () => {
  const start = await readStart(fixture);
  const [wider, plain] = [
    { ...spec, filters: [2, 3, 5] },
    { ...spec, residual: false },
  ];
  expect(() => startWeights(wider, 1, start)).toThrow(
    `${fixture} is of another network:
  bottleneck.conv1.conv.weight: [4, 3, 3, 3, 3] in the file, [5, 3, 3, 3, 3] by \`network\`
  bottleneck.conv2.conv.weight: [4, 4, 3, 3, 3] in the file, [5, 5, 3, 3, 3] by \`network\``,
  );
  expect(() => startWeights(plain, 1, start)).toThrow(
    "input_block.conv3.conv.weight: [2, 1, 1, 1, 1] in the file, nothing by `network`",
  );
});

test("lq compares patch, spacing and labels with its own checkpoint, and refuses another normalisation", async () => {
  const own = await readStart(ownCheckpoint());
  expect(compareSettings(own, settings)).toEqual([
    `starts from ${own.path}`,
    "output layers start from random weights: spleen, kidney there, liver here",
  ]);
  expect(compareSettings(own, { ...settings, patch: [8, 8, 16], spacing: [1, 1, 2.5] }).slice(2)).toEqual([
    "patch (z y x): 8 8 8 there, 8 8 16 here",
    "spacing (x y z, mm): 1 1 2 there, 1 1 2.5 here",
  ]);
  const normalisation = { mean: 40, std: 100 };
  expect(() => compareSettings(own, { ...settings, normalisation })).toThrow(
    `${own.path} was trained with another normalisation: {"mean":0,"std":1}, not {"mean":40,"std":100}`,
  );
});

test("a file without a network is refused; the error names the file and the reason", async () => {
  const broken = written("broken.pth", readFileSync(fixture).subarray(0, 20_000));
  await expect(readStart(broken)).rejects.toThrow(`${broken}: not a checkpoint that can be read`);
  const text = written("text.safetensors", "no weights");
  await expect(readStart(text)).rejects.toThrow(`${text}: not a checkpoint that can be read`);
  const cut = written("cut.safetensors", readFileSync(ownCheckpoint()).subarray(0, -1));
  await expect(readStart(cut)).rejects.toThrow(`${cut}: not a valid safetensors file`);
  const tensors = new Map([["encoder.weight", { shape: [1], data: Float32Array.of(1) }]]);
  const stranger = written("stranger.safetensors", encodeSafetensors({ tensors, metadata: new Map() }));
  await expect(readStart(stranger)).rejects.toThrow(
    `${stranger}: no weights of a DynUNet: no tensor is named input_block.conv1.conv.weight; there is encoder.weight`,
  );
});
