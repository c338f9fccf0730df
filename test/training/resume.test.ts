/**
 * Interrupts a training through the real command: SIGKILL to lq, which ends its worker too, or SIGTERM, which lets it
 * save its state. It resumes from the last saved state and ends with the bytes of an uninterrupted training.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { setParams, SMALL, trainProject } from "../examples/train-project.ts";
import type { CliProject, JsonLine, Lq } from "../helpers/cli.ts";
import { backends, torchVersion } from "../helpers/torch.ts";

const CHECKPOINT = "model/checkpoint.safetensors";
const BATCHES = 20;

/** Many short steps, so that the training is still running when the signal comes. */
const paramsOn = (backend: "onnx" | "torch", seed: number) => ({
  ...SMALL,
  patch: [8, 8, 8],
  network: { ...SMALL.network, filters: [2, 3, 4] },
  training: {
    ...SMALL.training,
    seed,
    epochs: 30,
    batches: BATCHES,
    backend,
    torch: backend === "torch" ? torchVersion : null,
  },
});

/** The epoch in a line about the training's progress; null for other lines. */
function epochOf({ type, task, note }: JsonLine): number | null {
  const [, epoch] =
    /^epoch (\d+)/.exec(type === "progress" && task === "train:split" ? String(note) : "") ?? [];
  return epoch === undefined ? null : Number(epoch);
}

/** Starts a build and waits until its training has finished and saved the first epoch. */
async function inMidTraining(project: CliProject): Promise<{ lq: Lq; firstEpoch: number }> {
  const lq = project.start("build", CHECKPOINT, "--json");
  let firstEpoch: number | null = null;
  for (;;) {
    const line = (await lq.line('"note":"epoch ')).at(-1) ?? "";
    const epoch = epochOf(JSON.parse(line) as JsonLine);
    firstEpoch ??= epoch;
    if (epoch !== null && epoch >= 2) return { lq, firstEpoch: firstEpoch ?? 0 };
  }
}

/** The epoch after so many steps, counted from 1. */
const epochAfter = (steps: number) => Math.floor(steps / BATCHES) + 1;

/** The number of steps in the saved state of each scratch folder. */
function saved(project: CliProject): number[] {
  const folder = project.path("cache/scratch");
  return readdirSync(folder).flatMap((key) => {
    const path = `${folder}/${key}/training.safetensors`;
    if (!existsSync(path)) return [];
    const text = decodeSafetensors(readFileSync(path)).metadata.get("training") ?? "";
    return [(JSON.parse(text) as { step: number }).step];
  });
}

test.each(backends)(
  "on %s, a training that was killed twice and stopped once has the bytes of an uninterrupted one",
  async (backend) => {
    const params = (seed: number) => paramsOn(backend, seed);
    const undisturbed = await trainProject(params(1));
    await undisturbed.built(CHECKPOINT);

    const project = await trainProject(params(1));
    const killed = await inMidTraining(project);
    killed.lq.kill("SIGKILL");
    expect((await killed.lq.ended).code).toBe(null);
    const [first = 0] = saved(project);
    expect(first).toBeGreaterThanOrEqual(BATCHES);
    expect(first % BATCHES).toBe(0); // the end of an epoch

    const asked = await inMidTraining(project);
    asked.lq.kill("SIGTERM");
    expect((await asked.lq.ended).code).toBe(143);
    expect(asked.firstEpoch).toBeGreaterThanOrEqual(epochAfter(first));
    const [second = 0] = saved(project);
    expect(second).toBeGreaterThan(first);

    // A training with another key does not use this state.
    setParams(project, params(2));
    const other = await inMidTraining(project);
    other.lq.kill("SIGKILL");
    await other.lq.ended;
    expect(saved(project)).toHaveLength(2);
    expect(saved(project)).toContain(second);

    setParams(project, params(1));
    const last = await project.json("build", CHECKPOINT);
    expect(last.map(epochOf).find((epoch) => epoch !== null)).toBeGreaterThanOrEqual(epochAfter(second));
    expect(readFileSync(project.path(CHECKPOINT)).equals(readFileSync(undisturbed.path(CHECKPOINT)))).toBe(
      true,
    );
    expect(saved(project)).toHaveLength(1); // the state of the other key
  },
);
