/** Converts a checkpoint of SAM or MedSAM to an ONNX encoder and decoder. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeJson } from "../json.ts";
import { Network } from "../networks/network.ts";
import { samDecoder, unusedSamDecoderWeights } from "../networks/sam-decoder.ts";
import { samEncoder } from "../networks/sam-encoder.ts";
import { readStateDict } from "../networks/state-dict.ts";
import { readCheckpoint } from "../torch/checkpoint.ts";
import { optional } from "./plain.ts";

/** `model.json` of a converted SAM, beside `encoder.onnx` and `decoder.onnx`. */
export const samSchema = z.object({
  kind: z.literal("sam"),
  size: z.number().int().positive(),
  grid: z.number().int().positive(),
  channels: z.number().int().positive(),
});
export type SamModel = z.infer<typeof samSchema>;

/**
 * Reads a state dict with SAM's names; it may also be the entry `model` of a dict. `heads`: attention heads of the
 * decoder (8 in every released model). Throws an Error that names the file.
 */
export async function convertSam(path: string, out: string, heads = 8): Promise<SamModel> {
  const checkpoint = await readCheckpoint(path);
  await mkdir(out, { recursive: true });
  try {
    const nested = optional(checkpoint, "model");
    const state = [...(await readStateDict(nested instanceof Map ? nested : checkpoint))];
    const inEncoder = ([name]: (typeof state)[number]) => name.startsWith("image_encoder.");
    const encoder = new Network(join(out, "encoder"), new Map(state.filter(inEncoder)));
    const decoder = new Network(join(out, "decoder"), new Map(state.filter((entry) => !inEncoder(entry))));
    const shape = samEncoder(encoder);
    samDecoder(decoder, shape, heads);
    await encoder.write();
    await decoder.write(unusedSamDecoderWeights);
    const model: SamModel = { kind: "sam", ...shape };
    writeJson(join(out, "model.json"), model);
    return model;
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}
