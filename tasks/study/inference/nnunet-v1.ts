/**
 * Converts a model folder of nnU-Net v1 to ONNX. STU-Net's folders have the same layout.
 * Reference: uni-medical/STU-Net nnUNet-1.7.1/nnunet (plans, network_architecture, training/model_restore.py).
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeJson } from "../json.ts";
import { Network } from "../networks/network.ts";
import { readStateDict, type StateDict } from "../networks/state-dict.ts";
import { isStuNet, stuNet, unusedStuNetWeights } from "../networks/stunet.ts";
import { genericUNet, unusedGenericUNetWeights } from "../networks/unet-v1.ts";
import { readCheckpoint } from "../torch/checkpoint.ts";
import type { Head, PerAxis } from "../networks/layers.ts";
import { findFolds, type NetworkChoice } from "./folds.ts";
import type { NetworkModel, Normalisation } from "./model.ts";
import { field, integers, listOf, numbers, optional } from "./plain.ts";
import type { Pickled } from "../torch/values.ts";

/**
 * `folder` is `Trainer__Plans` with `plans.pkl`. Writes `model.json`, `fold_X.onnx` and `fold_X.weights` to `out`.
 * `head` "logits" leaves out the softmax. Throws an Error for two dimensions and for the second stage of a cascade.
 */
export async function convertV1(
  folder: string,
  out: string,
  { checkpoint: wanted = "final", folds, log }: NetworkChoice = {},
  head: Head = "softmax",
): Promise<NetworkModel> {
  const known = new Map([
    ["final", "model_final_checkpoint.model"],
    ["best", "model_best.model"],
    ["latest", "model_latest.model"],
  ]);
  const names = known.has(wanted) ? [known.get(wanted)!] : [wanted, `${wanted}.model`];
  // Published STU-Nets have other names, such as base_ep4k.model.
  const files = await findFolds(folder, {
    names,
    pattern: /\.model$/,
    orOnly: wanted === "final",
    folds,
    log,
  });
  const plansPath = join(folder, "plans.pkl");
  const plans = await readCheckpoint(plansPath);
  const stage = await stageOf(plans, `${files[0]!.path}.pkl`, plansPath);
  const model: NetworkModel = {
    ...readPlans(plans, stage, plansPath, folder),
    folds: files.map(({ fold }) => ({ fold, file: `fold_${fold}.onnx` })),
  };
  const pool = listOf(field(stage, "pool_op_kernel_sizes", plansPath));
  if (!pool) throw new Error(`${plansPath}: pool_op_kernel_sizes is no list`);
  const strides = pool.map((p) => integers(p, 3, `${plansPath}: pool_op_kernel_sizes`));
  const classes = model.output.kind === "labels" ? model.output.count : 0;
  await mkdir(out, { recursive: true });
  for (const { fold, path } of files) {
    const checkpoint = await readCheckpoint(path);
    try {
      const state = await readStateDict(optional(checkpoint, "state_dict"));
      const network = new Network(join(out, `fold_${fold}`), state);
      const { build, spare } = architecture(state);
      build(network, strides, model.channels, classes, model.patch, head);
      await network.write(spare);
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  writeJson(join(out, "model.json"), { kind: "nnunet", ...model });
  return model;
}

interface Architecture {
  readonly build: (
    n: Network,
    pool: readonly PerAxis[],
    channels: number,
    classes: number,
    patch: PerAxis,
    head: Head,
  ) => void;
  readonly spare: RegExp;
}

/** Recognises the architecture by the names of the weights. */
function architecture(state: StateDict): Architecture {
  if (state.has("conv_blocks_context.0.blocks.0.conv.weight")) {
    return { build: genericUNet, spare: unusedGenericUNetWeights };
  }
  if (isStuNet(state)) return { build: stuNet, spare: unusedStuNetWeights };
  throw new Error("the weights are neither those of nnU-Net v1's Generic_UNet nor of STU-Net");
}

/** Plans of the stage (resolution) that the file beside the checkpoint names; without a name, those of the finest stage. */
async function stageOf(plans: Pickled, beside: string, where: string): Promise<Pickled> {
  const stages = field(plans, "plans_per_stage", where);
  if (!(stages instanceof Map) || stages.size === 0) throw new Error(`${where}: plans_per_stage is empty`);
  const init = existsSync(beside) ? optional(await readCheckpoint(beside), "init") : undefined;
  const named = Array.isArray(init) ? init[5] : undefined;
  const finest = Math.max(...[...stages.keys()].map(Number));
  return stages.get(typeof named === "number" ? named : finest) ?? stages.get(finest)!;
}

function readPlans(
  plans: Pickled,
  stage: Pickled,
  where: string,
  folder: string,
): Omit<NetworkModel, "folds"> {
  const number = (key: string) => numbers(field(plans, key, where), 1, `${where}: ${key}`)[0];
  const channels = number("num_modalities");
  const trainer = basename(folder);
  const transpose = integers(field(plans, "transpose_forward", where), 3, `${where}: transpose_forward`);
  if (/cascade/i.test(trainer)) {
    throw new Error(
      `${folder}: the second stage of a cascade, which is not supported (3d_fullres and 3d_lowres are)`,
    );
  }
  if (/(^|_)(l?relu|mish|gelu|swish|gn|frn)(_|$)/i.test(trainer)) {
    throw new Error(
      `${folder}: this trainer changes the network's norm or non-linearity, which its weights do not show; it is not supported`,
    );
  }
  const size = field(stage, "patch_size", where);
  if (listOf(size)?.length === 2) {
    throw new Error(
      `${where}: a model of two dimensions, which is not supported (3d_fullres and 3d_lowres are)`,
    );
  }
  const patch = integers(size, 3, `${where}: patch_size`);
  return {
    nnunet: 1,
    name: basename(dirname(folder)),
    channels,
    reorient: false,
    transpose,
    spacing: numbers(field(stage, "current_spacing", where), 3, `${where}: current_spacing`),
    patch,
    normalisation: Array.from({ length: channels }, (_, i) => normalisation(plans, i, where)),
    separateZ: { image: null, output: null },
    output: { kind: "labels", count: number("num_classes") + 1 },
    labels: {},
    mirrorAxes: /no_?mirror/i.test(trainer) ? [] : [0, 1, 2],
  };
}

function normalisation(plans: Pickled, channel: number, where: string): Normalisation {
  const scheme = optional(field(plans, "normalization_schemes", where), channel);
  const useMask = optional(optional(plans, "use_mask_for_norm"), channel) === true;
  if (scheme === "CT2") throw new Error(`${where}: normalisation CT2 is not supported`);
  if (scheme !== "CT") return scheme === "noNorm" ? { scheme: "none" } : { scheme: "z-score", useMask };
  const statistics = optional(
    optional(optional(plans, "dataset_properties"), "intensityproperties"),
    channel,
  );
  const value = (key: string) => numbers(field(statistics, key, where), 1, `${where}: ${key}`)[0];
  return {
    scheme: "ct",
    low: value("percentile_00_5"),
    high: value("percentile_99_5"),
    mean: value("mean"),
    deviation: value("sd"),
  };
}
