/** Trains a DynUNet step by step, on the backend that the options name. */
import type { Triple } from "../arrays.ts";
import type { AdamW } from "./autodiff/adamw.ts";
import { IGNORED, type LossOptions } from "./autodiff/loss.ts";
import type { Backend } from "./backend.ts";
import type { DynUNetSpec } from "./dynunet.ts";
import type { Weights } from "./parameters.ts";

export interface TrainerOptions extends Backend {
  readonly spec: DynUNetSpec;
  readonly batch: number;
  /** Voxels along (z, y, x). */
  readonly patch: Triple;
  readonly weights: Weights;
  /** Moments of a training that continues; zeros by default. */
  readonly moments?: Moments;
  /** Steps already done; default 0. */
  readonly step?: number;
  readonly optimizer?: Partial<AdamW>;
  readonly loss?: LossOptions;
}

/** Adam's running means of the gradient and of its square. */
export interface Moments {
  readonly first: Weights;
  readonly second: Weights;
}

export interface StepResult {
  readonly loss: number;
  readonly dice: number;
  readonly ce: number;
}

/** What a training ran on, where results depend on it; part of a checkpoint. */
export type Platform = Readonly<Record<string, string>>;

/** Does a step on a prepared batch, with a learning rate; to be called once. */
export type Step = (rate: number) => Promise<StepResult>;

export interface Trainer {
  /**
   * Takes a batch to where the next step reads it; may run during a step. At most two batches may wait for their step.
   * `images` is (N, C, z, y, x), `labels` (N, z, y, x). Throws a RangeError for a label without an output channel.
   */
  prepare(images: Float32Array, labels: Uint8Array): Step;
  /** Copies of the weights and moments, by parameter name. */
  state(): Promise<{ readonly weights: Weights; readonly moments: Moments }>;
  /** Steps done so far, including those before this trainer was created. */
  steps(): number;
  /** Null where results do not depend on more than the options. */
  readonly platform: Platform | null;
  dispose(): Promise<void>;
}

/**
 * Throws an Error if the patch does not fit the network, if weights or moments do not fit its parameters, or if the
 * backend is not there.
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { chooseBackend } = await import("./backend.ts");
  const worker = await chooseBackend(options);
  if (worker === null) return (await import("./onnx-trainer.ts")).createOnnxTrainer(options);
  return (await import("./pytorch/trainer.ts")).createPyTorchTrainer(worker, options);
}

/** Throws a RangeError for a label without an output channel. With `ignore` a label may be IGNORED. */
export function checkLabels(labels: Uint8Array, classes: number, ignore = false): void {
  for (const label of labels) {
    if (label >= classes && !(ignore && label === IGNORED)) {
      throw new RangeError(`label ${label} has no output channel: the network has ${classes} classes`);
    }
  }
}
