/** Runs a copy of examples/train on phantoms, as a user would. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { decodeCheckpoint } from "../../tasks/study/nn/checkpoint.ts";
import { aliases, parameters } from "../../tasks/study/nn/parameters.ts";
import { decodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { HOME } from "../helpers/bundle.ts";
import type { CliProject } from "../helpers/cli.ts";
import { CASES, ran, setParams, SMALL, trainProject } from "./train-project.ts";

const perCase = (rule: string) => CASES.map((id) => `${rule}:${id}`);
const AFTER_TRAINING = ["evaluate:split", "export", "segment:split", "table"];

const read = (project: CliProject, path: string) => readFileSync(project.path(path));
const checkpointOf = (project: CliProject) => decodeCheckpoint(read(project, "model/checkpoint.safetensors"));

/** Mean Dice over all labels and held-out cases; 0 if the training did not converge. */
function meanDice(project: CliProject): number {
  const [, mean = "0"] = /^overall,dice,1,([\d.]+),/m.exec(project.read("tables/scores.csv")) ?? [];
  return Number(mean);
}

test("the params of this test have the same keys as those of the example", () => {
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
      : typeof value;
  const example = parse(readFileSync(`${HOME}examples/train/params.yaml`, "utf8")) as { training: object };
  const strip = ({ training, ...rest }: { training: object }) =>
    shape({ ...rest, training: { ...training, augmentation: null } });
  expect(strip(example)).toEqual(strip(SMALL));
});

test("trains, scores held-out cases, exports; after a change, only the affected tasks run", async () => {
  const project = await trainProject();
  const first = ran(await project.json("build"));
  expect(first).toEqual(
    ["cases", ...perCase("check"), "plan", ...perCase("prepare"), "train:split", ...AFTER_TRAINING].sort(),
  );
  expect(meanDice(project)).toBeGreaterThan(0.6);
  expect(project.read("tables/scores.md")).toMatch(/\| \*\*overall\*\* \| \d\d\.\d ± /);
  expect((await project.built()).ran).toEqual([]);

  // The exported files hold the checkpoint's weights with all of MONAI's names, and give its outputs.
  const { spec, weights } = checkpointOf(project);
  const dict = decodeSafetensors(read(project, "model/weights.safetensors")).tensors;
  expect([...dict.keys()]).toEqual([...parameters(spec).map(({ name }) => name), ...aliases(spec).keys()]);
  for (const [name, values] of weights) expect(dict.get(name)!.data).toEqual(values);
  const session = await InferenceSession.create(project.path("model/model.onnx"));
  const image = new Tensor("float32", new Float32Array(8 * 12 * 16), [1, 1, 8, 12, 16]);
  expect((await session.run({ image }))["logits"]!.dims).toEqual([1, 4, 8, 12, 16]);
  await session.release();

  // Another schedule: the training and all tasks after it run.
  const brief = { ...SMALL, training: { ...SMALL.training, epochs: 1, learning_rate: 0.01 } };
  setParams(project, brief);
  expect((await project.built()).ran).toEqual([...AFTER_TRAINING, "train:split"].sort());
  // Another tolerance: only the scores are computed again.
  const untaught = meanDice(project);
  setParams(project, { ...brief, tolerance: 2 });
  expect((await project.built()).ran).toEqual(["evaluate:split", "table"]);
  // With the old params again, nothing runs.
  setParams(project, SMALL);
  expect((await project.built()).ran).toEqual([]);

  // One epoch from this checkpoint scores better than one epoch from random weights.
  mkdirSync(project.path("start"));
  copyFileSync(project.path("model/checkpoint.safetensors"), project.path("start/checkpoint.safetensors"));
  setParams(project, { ...brief, start: "start/checkpoint.safetensors" });
  const again = (await project.built()).ran;
  expect(again).toEqual([...AFTER_TRAINING, "plan-from", "train-from:split"].sort());
  expect(meanDice(project)).toBeGreaterThan(untaught);
});

test("a training that diverges is a result: it is cached, and the table says so", async () => {
  const project = await trainProject({ ...SMALL, training: { ...SMALL.training, learning_rate: 1e30 } });
  expect((await project.built()).ran).toContain("train:split");
  expect(checkpointOf(project)).toMatchObject({
    outcome: "not-converged",
    criterion: expect.stringMatching(/^the loss was not finite at step \d+ of 80$/) as unknown,
  });
  expect(project.read("tables/scores.md")).toMatch(
    /^✗ The training did not converge: the loss was not finite at step \d+ of 80\.$/m,
  );
  expect(project.has("predictions/outcome.json")).toBe(true);
  expect((await project.built()).ran).toEqual([]);
  project.remove("model");
  const again = await project.built();
  expect(again.ran).toEqual([]);
  expect(again.restored).toContain("train:split");
  // A training that starts from it does not train, and the result says why.
  mkdirSync(project.path("start"));
  copyFileSync(project.path("model/checkpoint.safetensors"), project.path("start/checkpoint.safetensors"));
  setParams(project, { ...SMALL, start: "start/checkpoint.safetensors" });
  expect((await project.built()).ran).toContain("train-from:split");
  expect(project.read("tables/scores.md")).toMatch(/did not converge: pre-training: the loss was not finite/);
});

test("labels that no case has, or of one value, and a patch that the strides do not divide are refused", async () => {
  const project = await trainProject();
  for (const [change, message] of [
    [{ labels: { liver: 700, unicorn: 99 } }, "no case has a voxel of unicorn (99)"],
    [{ labels: { liver: 1, spleen: 1 } }, "two labels have the same value"],
    [{ patch: [16, 24, 23] }, "must be a multiple of [4, 4, 4]"],
  ] as const) {
    setParams(project, { ...SMALL, ...change });
    const { code, stdout, stderr } = await project.lq("build");
    expect(stdout + stderr).toContain(message);
    expect([1, 2]).toContain(code);
  }
});

test("kernels that are longer along z than a level has slices train, as in torch", async () => {
  const kernels = [[7, 3, 3], [5, 3, 3], [7, 3, 3]]; // prettier-ignore
  const network = { ...SMALL.network, kernels };
  const training = { ...SMALL.training, epochs: 1, batches: 2 };
  // The levels have 4, 2 and 1 slices.
  const project = await trainProject({ ...SMALL, patch: [4, 16, 16], network, training });
  await project.built("model/checkpoint.safetensors");
  const checkpoint = decodeCheckpoint(readFileSync(project.path("model/checkpoint.safetensors")));
  expect(checkpoint.losses).toHaveLength(1);
  expect(Number.isFinite(checkpoint.losses[0])).toBe(true);
});

test("starts from a .pth of PyTorch; the log shows the start and the progress", async () => {
  const labels = { liver: 700, spleen: 40 };
  const network = { ...SMALL.network, filters: [2, 3, 4] };
  const training = { ...SMALL.training, epochs: 2, batches: 2, learning_rate: 1e-6 };
  const project = await trainProject({ ...SMALL, labels, network, training, start: "start/monai.pth" });
  mkdirSync(project.path("start"));
  copyFileSync(`${HOME}test/training/dynunet.pth`, project.path("start/monai.pth"));
  expect((await project.built("model/")).ran).toContain("train-from:split");
  const { spec, weights } = checkpointOf(project);
  expect(spec).toMatchObject({ filters: [2, 3, 4], transposedBias: true });
  const name = "bottleneck.conv1.conv.weight";
  const k = parameters(spec).findIndex((parameter) => parameter.name === name); // the rule of dynunet.pth
  for (const [i, value] of weights.get(name)!.entries())
    expect(Math.abs(value - (((7 * i + k) % 11) - 5) / 16)).toBeLessThan(1e-5);
  const { stdout } = await project.lq("log", "train-from:split");
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^starts from .*start\/monai\.pth$/),
    "output layers start from random weights: 2 labels there, spleen, liver here",
    expect.stringMatching(/^the file does not say its patch/),
    "loaded a network on cpu, threads: 1",
    expect.stringMatching(
      /^epoch 1\/2, step 2\/4: loss [\d.]+ \(Dice [\d.]+ \+ cross-entropy [\d.]+\), learning rate [\d.e-]+, [\d.]+ steps\/s, \d+ s left$/,
    ),
    expect.stringMatching(/^epoch 2\/2, step 4\/4: .*, 0 s left$/),
    "",
  ]);
});

test("a checkpoint of another network, or another file, is refused before any case is prepared", async () => {
  const project = await trainProject({ ...SMALL, start: "start/monai.pth" });
  mkdirSync(project.path("start"));
  copyFileSync(`${HOME}test/training/dynunet.pth`, project.path("start/monai.pth"));
  const other = await project.lq("build");
  expect(other.stdout + other.stderr).toMatch(
    /start\/monai\.pth is of another network:\s+input_block\.conv1\.conv\.weight: \[2, 1, 3, 3, 3\] in the file, \[8, 1, 3, 3, 3\] by `network`/,
  );
  writeFileSync(project.path("start/monai.pth"), "no weights");
  const broken = await project.lq("build");
  expect(broken.stdout + broken.stderr).toContain("start/monai.pth: not a checkpoint that can be read");
  expect(project.has("prepared")).toBe(false);
});
