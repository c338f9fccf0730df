/** Converts a model folder of nnU-Net v2 to ONNX. */
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeJson } from "../json.ts";
import { Network } from "../networks/network.ts";
import { readStateDict } from "../networks/state-dict.ts";
import { canonicalUNetName, unet, unusedUNetWeights } from "../networks/unet.ts";
import { readCheckpoint } from "../torch/checkpoint.ts";
import type { Pickled } from "../torch/values.ts";
import { findFolds } from "./folds.ts";
import type { NetworkModel } from "./model.ts";
import { readV2Plans, type V2Plans } from "./nnunet-v2-plans.ts";

/**
 * `folder` is `Trainer__Plans__configuration`. Writes `model.json`, `fold_X.onnx` and `fold_X.weights` to `out`.
 * Throws an Error that names the file which is wrong.
 */
export async function convertV2(folder: string, out: string): Promise<NetworkModel> {
  const files = await findFolds(folder, ["checkpoint_final.pth"]);
  await mkdir(out, { recursive: true });
  let plans: V2Plans | null = null;
  let mirrorAxes: number[] = [];
  for (const { fold, path } of files) {
    const checkpoint = await readCheckpoint(path);
    if (!(checkpoint instanceof Map)) throw new Error(`${path}: no checkpoint of nnU-Net v2`);
    plans ??= await readV2Plans(folder, configurationOf(checkpoint, folder));
    mirrorAxes = axesOf(checkpoint.get("inference_allowed_mirroring_axes"));
    try {
      const state = await readStateDict(checkpoint.get("network_weights"), canonicalUNetName);
      const network = new Network(join(out, `fold_${fold}`), state);
      unet(network, plans.architecture, plans.model.channels, plans.heads, plans.model.patch);
      await network.write(unusedUNetWeights);
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  const model: NetworkModel = {
    ...plans!.model,
    mirrorAxes,
    folds: files.map(({ fold }) => ({ fold, file: `fold_${fold}.onnx` })),
  };
  writeJson(join(out, "model.json"), { kind: "nnunet", ...model });
  return model;
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
