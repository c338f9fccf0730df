/** Converts a model folder of nnU-Net v2 to ONNX. */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeJson } from "../json.ts";
import { Network } from "../networks/network.ts";
import { readStateDict, type StateDict } from "../networks/state-dict.ts";
import { isStuNet, stuNet, unusedStuNetWeights } from "../networks/stunet.ts";
import { canonicalUNetName, unet, unusedUNetWeights } from "../networks/unet.ts";
import { readCheckpoint } from "../torch/checkpoint.ts";
import type { Pickled } from "../torch/values.ts";
import { findFolds, type NetworkChoice } from "./folds.ts";
import type { NetworkModel } from "./model.ts";
import { readArchitecture, readStrides } from "./nnunet-v2-architecture.ts";
import { readV2Plans, type V2Plans } from "./nnunet-v2-plans.ts";

/**
 * `folder` is `Trainer__Plans__configuration`. Writes `model.json`, `fold_X.onnx` and `fold_X.weights` to `out`.
 * `change` may adapt the model. Throws an Error that names the file which is wrong.
 */
export async function convertV2(
  folder: string,
  out: string,
  { checkpoint: wanted = "final", folds, log }: NetworkChoice = {},
  change: (model: NetworkModel) => NetworkModel = (model) => model,
): Promise<NetworkModel> {
  const names = ["final", "best", "latest"].includes(wanted)
    ? [`checkpoint_${wanted}.pth`]
    : [wanted, `${wanted}.pth`];
  const files = await findFolds(folder, { names, pattern: /\.pth$/, folds, log });
  await mkdir(out, { recursive: true });
  let plans: V2Plans | null = null;
  let mirrorAxes: number[] = [];
  for (const { fold, path } of files) {
    const checkpoint = await readCheckpoint(path);
    if (!(checkpoint instanceof Map)) throw new Error(`${path}: no checkpoint of nnU-Net v2`);
    plans ??= await readV2Plans(folder, configurationOf(checkpoint, folder));
    const offset = 3 - plans.dimensions;
    mirrorAxes = axesOf(checkpoint.get("inference_allowed_mirroring_axes")).map((axis) => axis + offset);
    try {
      const state = await readStateDict(checkpoint.get("network_weights"), canonicalUNetName);
      await writeNetwork(join(out, `fold_${fold}`), state, plans);
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  const model = change({
    ...plans!.model,
    mirrorAxes,
    folds: files.map(({ fold }) => ({ fold, file: `fold_${fold}.onnx` })),
  });
  writeJson(join(out, "model.json"), { kind: "nnunet", ...model });
  return model;
}

/** The names of the weights say which network it is: STU-Net keeps the plans of nnU-Net's U-Net. */
async function writeNetwork(path: string, state: StateDict, plans: V2Plans): Promise<void> {
  const { dimensions, configuration, where, inputs, heads, model } = plans;
  if (isStuNet(state)) {
    if (dimensions !== 3) throw new Error(`${where}: a STU-Net of two dimensions is not supported`);
    // STU-Net has five poolings, whatever the plans say.
    const strides = readStrides(configuration, where).slice(1, 6);
    while (strides.length < 5) strides.push([1, 1, 1]);
    const network = new Network(path, state);
    stuNet(network, strides, inputs, heads, model.patch, "logits");
    return network.write(unusedStuNetWeights);
  }
  const network = new Network(path, dimensions === 2 ? inThreeDimensions(state) : state);
  unet(network, readArchitecture(configuration, dimensions, where), inputs, heads, model.patch);
  return network.write(unusedUNetWeights);
}

/** A kernel of two dimensions is one of three with size 1 along the first. */
function inThreeDimensions(state: StateDict): StateDict {
  return new Map(
    [...state].map(([name, tensor]) => [name, tensor.shape.length === 4 ? tensor.withAxis(2) : tensor]),
  );
}

/** The configuration that the checkpoint names; otherwise the last part of the folder's name. */
function configurationOf(checkpoint: Map<Pickled, Pickled>, folder: string): string {
  const init = checkpoint.get("init_args");
  const name = init instanceof Map ? init.get("configuration") : undefined;
  return typeof name === "string" ? name : (basename(folder).split("__")[2] ?? "3d_fullres");
}

function axesOf(value: Pickled | undefined): number[] {
  return Array.isArray(value) ? value.filter((axis) => typeof axis === "number") : [];
}
