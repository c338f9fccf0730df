/**
 * The training loop of every training task: AdamW, a cosine schedule, a fixed number of batches in each epoch.
 * All randomness depends only on the seed and the step. Equal inputs give equal bytes, even if the training resumes.
 */
import type { Triple } from "../arrays.ts";
import type { DynUNetSpec } from "../nn/dynunet.ts";
import type { Weights } from "../nn/parameters.ts";
import type { AdamW } from "../nn/autodiff/adamw.ts";
import type { Backend } from "../nn/backend.ts";
import type { LossOptions } from "../nn/autodiff/loss.ts";
import { createTrainer, type Moments, type Platform, type Trainer } from "../nn/trainer.ts";
import type { BatchSource } from "./patches.ts";
import { loadState, saveState } from "./progress-file.ts";
import { cosineRate } from "./schedule.ts";
import { epochLog } from "./epoch-log.ts";
import type { Start } from "./read-start.ts";
import { startWeights } from "./start.ts";

export interface TrainOptions {
  readonly spec: DynUNetSpec;
  /** (z, y, x) in voxels. */
  readonly patch: Triple;
  readonly batch: number;
  readonly batches: BatchSource;
  readonly seed: number | string;
  readonly epochs: number;
  readonly batchesPerEpoch: number;
  readonly learningRate: number;
  /** Learning rate at the end of the cosine; default 0. */
  readonly minimumRate?: number;
  readonly optimizer?: Partial<AdamW>;
  readonly loss?: LossOptions;
  /** A trained network to start from; its output layers are not used. */
  readonly start?: Start;
  /** Where it runs; default onnxruntime with one thread. */
  readonly backend?: Backend;
  /** A folder that stays between attempts. Without one, each attempt starts again. */
  readonly scratch?: string | null;
  readonly signal?: AbortSignal;
  readonly progress?: (fraction: number, note: string) => void;
  /** Gets the losses and the learning rate of each step. */
  readonly metrics?: (step: number, values: { readonly [name: string]: number }) => void;
  /** Gets one line for each epoch. */
  readonly log?: (line: string) => void;
}

export interface Training {
  readonly weights: Weights;
  readonly moments: Moments;
  readonly step: number;
  /** What it ran on, if results depend on that; else null. */
  readonly platform: Platform | null;
  /** Mean loss of each epoch. */
  readonly losses: readonly number[];
  readonly outcome: "converged" | "not-converged";
  /** Why it did not converge, or null. */
  readonly criterion: string | null;
}

/** The state is saved at the end of each epoch and every 30 s, unless saving takes more than 1/20 of the time. */
const saveSeconds = 30;
const saveShare = 1 / 20;

/**
 * Resumes from the state in `scratch`, if there is one; the result has the same bytes as without an interruption.
 * When aborted, saves the state and rejects with the signal's reason.
 */
export async function train(options: TrainOptions): Promise<Training> {
  const { spec, epochs, batchesPerEpoch, signal, scratch = null } = options;
  const total = epochs * batchesPerEpoch;
  const log = options.log ?? (() => undefined);
  const saved = scratch === null ? null : await loadState(scratch, spec, log);
  const trainer = await createTrainer({
    spec,
    batch: options.batch,
    patch: options.patch,
    weights: saved?.weights ?? startWeights(spec, options.seed, options.start),
    ...(saved && { moments: saved.moments, step: saved.step }),
    ...options.backend,
    log,
    ...(options.optimizer && { optimizer: options.optimizer }),
    ...(options.loss && { loss: options.loss }),
  });
  const { platform } = trainer;
  const record = epochLog({ epochs, batchesPerEpoch, done: trainer.steps() }, log);
  const losses = [...(saved?.epochs ?? [])];
  let current = [...(saved?.current ?? [])];
  let savedAt = performance.now();
  let saving = 0;
  const save = async () => {
    if (scratch === null) return;
    const begin = performance.now();
    await saveState(scratch, spec, { ...(await stateOf(trainer)), epochs: losses, current });
    savedAt = performance.now();
    saving = savedAt - begin;
  };
  const saveIfDue = async () => {
    const since = performance.now() - savedAt;
    const wanted = current.length === 0 || since > saveSeconds * 1000;
    if (wanted && saving <= saveShare * since) await save();
  };

  const prepare = (step: number) => {
    if (step >= total) return null;
    const prepared = options.batches(step).then(({ images, labels }) => trainer.prepare(images, labels));
    prepared.catch(() => undefined); // It is awaited later, or never if the step before it fails.
    return prepared;
  };

  try {
    let next = prepare(trainer.steps());
    while (next !== null) {
      if (signal?.aborted === true) {
        await save();
        signal.throwIfAborted();
      }
      const step = trainer.steps();
      const run = await next;
      const rate = cosineRate(options.learningRate, options.minimumRate ?? 0, step, total);
      const running = run(rate);
      next = prepare(step + 1); // while the step runs
      const result = await running;
      const { loss } = result;
      if (!Number.isFinite(loss)) {
        return {
          ...(await stateOf(trainer)),
          platform,
          losses,
          ...diverged("the loss was", step + 1, total),
        };
      }
      current.push(loss);
      if (current.length === batchesPerEpoch) {
        losses.push(mean(current));
        current = [];
      }
      record(result, rate);
      const epoch = Math.floor(step / batchesPerEpoch) + 1;
      options.progress?.((step + 1) / total, `epoch ${epoch}/${epochs}`);
      options.metrics?.(step + 1, { ...result, learning_rate: rate });
      if (next !== null) await saveIfDue();
    }
    const state = await stateOf(trainer);
    return {
      ...state,
      platform,
      losses,
      ...(finite(state.weights) ? judge(losses) : diverged("the weights were", total, total)),
    };
  } finally {
    await trainer.dispose();
  }
}

async function stateOf(trainer: Trainer) {
  return { ...(await trainer.state()), step: trainer.steps() };
}

type Judgement = Pick<Training, "outcome" | "criterion">;

function diverged(what: string, step: number, total: number): Judgement {
  return { outcome: "not-converged", criterion: `${what} not finite at step ${step} of ${total}` };
}

const finite = (weights: Weights) => [...weights.values()].every((values) => values.every(Number.isFinite));

/** Converged: the mean loss of the last epoch is below 90 % of the first epoch's. */
export function judge(losses: readonly number[]): Judgement {
  const [first, last] = [losses.at(0), losses.at(-1)];
  if (losses.length < 2 || first === undefined || last === undefined || last < 0.9 * first) {
    return { outcome: "converged", criterion: null };
  }
  const criterion = `the loss of the last epoch (${last.toFixed(3)}) is not below 90 % of the first one's (${first.toFixed(3)})`;
  return { outcome: "not-converged", criterion };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
