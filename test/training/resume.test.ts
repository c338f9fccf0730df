/**
 * A training that is cut off, through the real command: killed at once (SIGKILL to lq, with which its worker dies) or
 * asked to save and end (SIGTERM). It goes on from its last saved state, to the very bytes of one never cut off.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { setParams, SMALL, trainProject } from "../examples/train-project.ts";
import type { CliProject, JsonLine, Lq } from "../helpers/cli.ts";

const CHECKPOINT = "model/checkpoint.safetensors";
const BATCHES = 20;

/** Long enough that nothing but a signal ends it early, of steps as short as may be. */
const params = (seed: number) => ({
  ...SMALL,
  patch: [8, 8, 8],
  network: { ...SMALL.network, filters: [2, 3, 4] },
  training: { ...SMALL.training, seed, epochs: 30, batches: BATCHES },
});

/** The epoch of a line that tells of the training's progress, else null. */
function epochOf({ type, task, note }: JsonLine): number | null {
  const [, epoch] =
    /^epoch (\d+)/.exec(type === "progress" && task === "train:split" ? String(note) : "") ?? [];
  return epoch === undefined ? null : Number(epoch);
}

/** Starts a build and waits until its training is past the first epoch, whose end it has saved. */
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

/** The epoch that a state is in, or about to begin. */
const epochAfter = (steps: number) => Math.floor(steps / BATCHES) + 1;

/** Steps that the saved state of each scratch folder has behind it. */
function saved(project: CliProject): number[] {
  const folder = project.path("cache/scratch");
  return readdirSync(folder).flatMap((key) => {
    const path = `${folder}/${key}/training.safetensors`;
    if (!existsSync(path)) return [];
    const text = decodeSafetensors(readFileSync(path)).metadata.get("training") ?? "";
    return [(JSON.parse(text) as { step: number }).step];
  });
}

test("killed twice and asked to end once, a training ends with the bytes of one never cut off", async () => {
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

  // Another key sees nothing of it.
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
  expect(saved(project)).toHaveLength(1); // the other key's
});
