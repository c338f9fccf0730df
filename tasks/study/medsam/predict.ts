/**
 * Applies MedSAM to a CT volume, slice by slice, with boxes around given labels.
 * Reference: bowang-lab/MedSAM MedSAM_Inference.py. The encoder runs once for all boxes of a slice.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zerosLike } from "../arrays.ts";
import { samSchema, type SamModel } from "../inference/convert-sam.ts";
import type { Backend } from "../nn/backend.ts";
import { openNetwork } from "../nn/network.ts";
import { createRandom } from "../random.ts";
import { resize } from "../resample/resize.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import { fromAxial, toAxial } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { type BoxSettings, modelBox, promptsOf } from "./boxes.ts";
import { withoutSmallParts } from "../components.ts";
import { encoderInput, resizeSlice, toBytes } from "./image.ts";

export interface MedSamSettings extends Backend {
  /** Intensity window in Hounsfield units: least and greatest; values outside are clipped. */
  readonly window: readonly [number, number];
  readonly boxes: BoxSettings;
  /** How far image and prompts may lie apart, as a share of a voxel; see requireSameGrid. */
  readonly tolerance?: number;
  /** The label of a pixel in several masks: the higher value ("later", as in MedSAM's scripts) or the more probable one. */
  readonly overlap: "later" | "likelier";
  readonly signal?: AbortSignal;
  readonly progress?: (fraction: number) => void;
}

/** Reads `model.json` of a converted SAM. Throws an Error that names the file. */
async function readSam(folder: string): Promise<SamModel> {
  const path = join(folder, "model.json");
  const parsed = samSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!parsed.success) throw new Error(`${path}: not a converted SAM or MedSAM`);
  return parsed.data;
}

/**
 * Predicts the labels of `prompts` again. `folder` is a converted SAM; `image` is in Hounsfield units, on the grid of
 * `prompts`. Throws an Error if the grids differ.
 */
export async function predictMedSam(
  folder: string,
  image: Volume,
  prompts: LabelVolume,
  settings: MedSamSettings,
): Promise<LabelVolume> {
  requireSameGrid(
    { ...image, name: "the image" },
    { ...prompts, name: "the reference labels" },
    settings.tolerance,
  );
  const axial = toAxial(image);
  const [width, height, depth] = axial.size;
  const bytes = toBytes(axial.data, settings.window);
  const { least_voxels } = settings.boxes;
  const labels = withoutSmallParts(toAxial(prompts).data, [depth, height, width], least_voxels);
  const predict = await slicePredictor(folder, height, width, settings);
  const data = zerosLike(labels);
  const area = height * width;
  for (let z = 0; z < depth; z++) {
    settings.signal?.throwIfAborted();
    const range = [z * area, (z + 1) * area] as const;
    const slice = await predict(bytes.subarray(...range), labels.subarray(...range), z);
    if (slice) data.set(slice, range[0]);
    settings.progress?.((z + 1) / depth);
  }
  return fromAxial({ ...axial, data }, image);
}

type Slice = Uint8Array | Uint16Array;

/** A function that predicts one slice (height × width); its result is null if the slice has no prompts. */
async function slicePredictor(
  folder: string,
  height: number,
  width: number,
  settings: MedSamSettings,
): Promise<(image: Uint8Array, labels: Slice, z: number) => Promise<Uint16Array | null>> {
  const { size, grid } = await readSam(folder);
  const encoder = await openNetwork(join(folder, "encoder.onnx"), settings);
  const decoder = await openNetwork(join(folder, "decoder.onnx"), settings);
  const random = createRandom(`boxes ${settings.boxes.seed}`);
  const edge = 4 * grid;
  return async (slice, labels, z) => {
    const prompts = promptsOf(labels, height, width, settings.boxes);
    if (prompts.length === 0) return null;
    const input = encoderInput(await resizeSlice(slice, height, width, size));
    const { image_embeddings } = await encoder.run({ image: { shape: [1, 3, size, size], data: input } });
    const boxes = prompts.flatMap((prompt, i) =>
      modelBox(prompt, height, width, size, settings.boxes, random.fork(`${z} ${i}`)),
    );
    const { masks } = await decoder.run({
      image_embeddings: image_embeddings!,
      boxes: { shape: [prompts.length, 4], data: Float32Array.from(boxes) },
    });
    const logits = masks!.data;
    const each = logits.length / prompts.length;
    // SAM gives several masks for each box. The first is meant for a prompt that is not ambiguous.
    const maskAt = (i: number) =>
      maskOf(logits.subarray(i * each, i * each + edge * edge), edge, height, width);
    const claims = await Promise.all(
      prompts.map(async ({ label }, i) => ({ label, probability: await maskAt(i) })),
    );
    return settle(claims, settings.overlap, height * width);
  };
}

/** Probability (height × width) of a mask from its logits (edge × edge): the sigmoid, then linear resizing. */
export function maskOf(
  logits: Float32Array,
  edge: number,
  height: number,
  width: number,
): Promise<Float32Array> {
  const probability = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  const linear = { orders: [1, 1, 1], alignment: "half-pixel" } as const;
  return resize(probability, [1, edge, edge], [1, height, width], linear, Float32Array);
}

/** Label map of a slice: each label where its probability is above one half, in ascending order of labels. */
function settle(
  claims: readonly { readonly label: number; readonly probability: Float32Array }[],
  overlap: MedSamSettings["overlap"],
  area: number,
): Uint16Array {
  const labels = new Uint16Array(area);
  const best = new Float32Array(area).fill(0.5);
  for (const { label, probability } of claims) {
    for (let i = 0; i < area; i++) {
      if (!(probability[i]! > best[i]!)) continue;
      labels[i] = label;
      if (overlap === "likelier") best[i] = probability[i]!;
    }
  }
  return labels;
}
