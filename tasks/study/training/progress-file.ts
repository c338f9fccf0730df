/** Saves the state of an unfinished training on disk, so that it can resume. */
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { DynUNetSpec } from "../nn/dynunet.ts";
import { parameters, type Weights } from "../nn/parameters.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../nn/safetensors.ts";
import type { Moments } from "../nn/trainer.ts";

export interface TrainingState {
  readonly weights: Weights;
  readonly moments: Moments;
  /** Number of steps that are done. */
  readonly step: number;
  /** Mean loss of each complete epoch. */
  readonly epochs: readonly number[];
  /** Losses of the steps of the unfinished epoch. */
  readonly current: readonly number[];
}

const parts = ["weights.", "first.", "second."] as const;
const numbers = z.strictObject({
  step: z.number().int().min(0),
  epochs: z.array(z.number()),
  current: z.array(z.number()),
});

const fileIn = (folder: string) => join(folder, "training.safetensors");

/** Writes a new file, flushes and renames it: a kill or a power cut at any moment leaves the old state or the new one. */
export async function saveState(folder: string, spec: DynUNetSpec, state: TrainingState): Promise<void> {
  const { weights, moments, step, epochs, current } = state;
  const tensors = new Map<string, StoredTensor>();
  for (const [i, values] of [weights, moments.first, moments.second].entries()) {
    for (const { name, shape } of parameters(spec)) {
      tensors.set(`${parts[i]}${name}`, { shape, data: values.get(name)! });
    }
  }
  const training = JSON.stringify({ step, epochs, current });
  const metadata = new Map([
    ["training", training],
    ["sha256", digestOf(training, [weights, moments.first, moments.second], spec)],
  ]);
  const path = fileIn(folder);
  await writeFile(`${path}.new`, encodeSafetensors({ tensors, metadata }), { flush: true });
  await rename(`${path}.new`, path);
}

/**
 * The saved state. Null if there is none, or if it is damaged (then `log` gets a line): the training starts again.
 * Rejects with the system's error if the file cannot be read, because it may contain days of work.
 */
export async function loadState(
  folder: string,
  spec: DynUNetSpec,
  log: (line: string) => void,
): Promise<TrainingState | null> {
  const bytes = await readFile(fileIn(folder)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  });
  if (bytes === null) return null;
  try {
    return decode(bytes, spec);
  } catch (error) {
    log(`the saved state is damaged (${(error as Error).message}): the training starts again`);
    return null;
  }
}

function decode(bytes: Buffer, spec: DynUNetSpec): TrainingState {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const take = (part: string): Weights =>
    new Map(
      parameters(spec).map(({ name, shape }) => {
        const tensor = tensors.get(part + name);
        if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) {
          throw new Error(`${name} does not fit`);
        }
        return [name, tensor.data];
      }),
    );
  const [weights, first, second] = [take(parts[0]), take(parts[1]), take(parts[2])];
  const training = metadata.get("training") ?? "";
  if (metadata.get("sha256") !== digestOf(training, [weights, first, second], spec)) {
    throw new Error("its digest is not that of its content");
  }
  return { weights, moments: { first, second }, ...numbers.parse(JSON.parse(training)) };
}

function digestOf(training: string, values: readonly Weights[], spec: DynUNetSpec): string {
  const hash = createHash("sha256").update(training);
  for (const each of values) for (const { name } of parameters(spec)) hash.update(each.get(name)!);
  return hash.digest("hex");
}
