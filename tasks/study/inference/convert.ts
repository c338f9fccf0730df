/** Converts a recognised model to ONNX. */
import { join } from "node:path";
import { writeJson } from "../json.ts";
import { convertSam } from "./convert-sam.ts";
import { convertTotalSegmentator } from "./convert-totalsegmentator.ts";
import type { Model, NetworkModel } from "./model.ts";
import { convertV1 } from "./nnunet-v1.ts";
import type { NetworkChoice } from "./folds.ts";
import { convertV2 } from "./nnunet-v2.ts";
import { PREVIOUS_STAGE } from "./nnunet-v2-plans.ts";
import { findPostprocessing, type Postprocessing, readPostprocessing } from "./postprocessing.ts";
import {
  findModels,
  type ModelChoice,
  placeOf,
  recogniseModel,
  type RecognisedModel,
  type V2Member,
} from "./recognise.ts";

export interface ConvertSettings extends ModelChoice, Omit<NetworkChoice, "folds"> {
  /** Whether nnU-Net v2's postprocessing.pkl is applied if there is one; default "none". */
  readonly postprocessing?: "none" | "auto" | undefined;
  /** Order of the splines with which TotalSegmentator resamples images; default 1, as since version 2.16. */
  readonly resamplingOrder?: 1 | 3 | undefined;
  /** Number of attention heads of SAM's mask decoder. The weights do not contain it; every released model has 8 (default). */
  readonly decoderHeads?: number | undefined;
}

/**
 * Writes the converted model (`model.json`, ONNX graphs, weights) to the folder `out`, for predictCase or, for SAM,
 * predictMedSam. Returns the recognised model.
 */
export async function convertModel(
  folder: string,
  out: string,
  settings: ConvertSettings = {},
): Promise<RecognisedModel> {
  const model = await recogniseModel(folder, settings);
  const { checkpoint, log } = settings;
  if (settings.postprocessing === "auto" && model.kind !== "nnunet-v2")
    throw new Error(`postprocessing: auto is for models of nnU-Net v2, and ${folder} holds another one`);
  switch (model.kind) {
    case "nnunet-v2":
      await convertMembers(
        model.members,
        out,
        settings,
        await postprocessingOf(folder, model.members, settings),
      );
      break;
    case "nnunet-v1":
      await convertV1(model.folder, out, { checkpoint, log });
      break;
    case "totalsegmentator":
      await convertTotalSegmentator(model.weights, out, settings.resamplingOrder ?? 1, { checkpoint, log });
      break;
    case "sam":
      await convertSam(model.checkpoint, out, settings.decoderHeads);
  }
  return model;
}

async function postprocessingOf(
  root: string,
  members: readonly V2Member[],
  { postprocessing = "none", log }: ConvertSettings,
): Promise<Postprocessing> {
  if (postprocessing === "none") return [];
  const all = (await findModels(root)).map(placeOf);
  const path = await findPostprocessing(
    root,
    members.map(({ folder }) => folder),
    all,
  );
  log?.(path === null ? "there is no postprocessing.pkl to apply" : `applies ${path}`);
  return path === null ? [] : readPostprocessing(path);
}

async function convertMembers(
  members: readonly V2Member[],
  out: string,
  choice: ConvertSettings,
  postprocessing: Postprocessing,
): Promise<void> {
  const [first, ...more] = members;
  const steps = postprocessing.map((values) => [...values]);
  if (first && more.length === 0) {
    const model = await convertMember(first, out, choice);
    write(out, { kind: "nnunet", ...model, postprocessing: steps });
    return;
  }
  const models: NetworkModel[] = [];
  const names = members.map(({ configuration }, i) => configuration ?? String(i));
  for (const [i, each] of members.entries())
    models.push(await convertMember(each, join(out, names[i]!), choice));
  const { name, labels, output } = models[0]!;
  for (const [i, other] of models.entries()) {
    if (JSON.stringify([other.labels, other.output]) === JSON.stringify([labels, output])) continue;
    throw new Error(`${members[i]!.folder} predicts other labels than ${members[0]!.folder}: no average`);
  }
  write(out, { kind: "ensemble", name, labels, output, members: names, postprocessing: steps });
}

async function convertMember(member: V2Member, out: string, choice: NetworkChoice): Promise<NetworkModel> {
  const { checkpoint, log } = choice;
  if (member.previous)
    await convertV2(member.previous.folder, join(out, PREVIOUS_STAGE), { checkpoint, log });
  const model = await convertV2(member.folder, out, { checkpoint, log });
  if (model.previousStage && !member.previous) {
    throw new Error(
      `${member.folder} is the second stage of a cascade; its folder must be named Trainer__Plans__configuration, beside its first stage`,
    );
  }
  return model;
}

function write(out: string, model: Model): void {
  writeJson(join(out, "model.json"), model);
}
