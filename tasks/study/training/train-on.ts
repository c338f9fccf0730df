/** Runs a training with the params and the context of a task. */
import type { TaskContext } from "lq";
import type { z } from "zod";
import type { Triple } from "../arrays.ts";
import type { DynUNetSpec } from "../nn/dynunet.ts";
import type { Augmentation } from "./augment.ts";
import type { TrainingCase } from "./cases.ts";
import { patchSource } from "./patches.ts";
import type { Start } from "./read-start.ts";
import { train, type Training } from "./train.ts";
import type { training } from "../params/settings.ts";

type Settings = z.infer<typeof training>;

interface Context extends Pick<
  TaskContext<unknown>,
  "scratch" | "signal" | "progress" | "metrics" | "log" | "devices"
> {
  /** `patch` is (z, y, x) in voxels. */
  readonly params: { readonly patch: Triple; readonly training: Settings };
}

/**
 * Trains on random patches of the cases, which must have the channels of the network. Without `start` the weights are
 * random at first. With `ignore` the labels may be IGNORED.
 * @throws the errors of `train`
 */
export function trainOn(
  cases: readonly TrainingCase[],
  spec: DynUNetSpec,
  { params: { patch, training }, scratch, signal, progress, metrics, log, devices }: Context,
  { start = null, ignore = false }: { readonly start?: Start | null; readonly ignore?: boolean } = {},
): Promise<Training> {
  const { seed, epochs, batches, batch, foreground, betas } = training;
  const augmentation = augmentationOf(training);
  const patches = {
    batch,
    patch,
    channels: spec.inChannels,
    seed: `patches ${seed}`,
    foreground,
    augmentation,
  };
  return train({
    spec,
    patch,
    batch,
    batches: patchSource(cases, patches),
    seed,
    epochs,
    batchesPerEpoch: batches,
    learningRate: training.learning_rate,
    optimizer: { weightDecay: training.weight_decay, beta1: betas[0], beta2: betas[1] },
    backend: {
      backend: training.backend,
      precision: training.precision,
      torch: training.torch,
      threads: training.threads,
      device: training.backend === "torch" ? "auto" : "cpu",
      devices,
    },
    ...{ scratch, signal, progress, metrics, log },
    ...(start && { start }),
    ...(ignore && { loss: { ignore } }),
  });
}

/** The augmentation settings without undefined values. */
function augmentationOf({ augmentation }: Settings): Augmentation {
  return Object.fromEntries(Object.entries(augmentation).filter(([, value]) => value !== undefined));
}
