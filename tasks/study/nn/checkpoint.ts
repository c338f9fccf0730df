/**
 * A checkpoint is a safetensors file. It has the weights under MONAI's names, the optimiser's state under
 * `optimizer.exp_avg.…` and `optimizer.exp_avg_sq.…`, and everything else as JSON in the metadata (key `lq`).
 * Equal content gives equal bytes.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { checkSpec } from "./dynunet.ts";
import { parameters, type Weights } from "./parameters.ts";
import { decodeSafetensors, encodeSafetensors, type Safetensors, type StoredTensor } from "./safetensors.ts";
import type { Moments } from "./trainer.ts";

const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();
const json = z.json();

const specSchema = z.strictObject({
  inChannels: z.number(),
  outChannels: z.number(),
  kernels: z.array(triple).readonly(),
  strides: z.array(triple).readonly(),
  filters: z.array(z.number()).readonly(),
  heads: z.number(),
  residual: z.boolean(),
  transposedBias: z.boolean(),
});

/** Raise this when the meaning of a field or tensor changes. */
const version = 1;

const recordSchema = z.strictObject({
  spec: specSchema,
  step: z.number().int().min(0),
  seed: z.union([z.number(), z.string()]),
  /** Voxels along (z, y, x). */
  patch: triple,
  /** Millimetres along (x, y, z); null if the network is not tied to a grid. */
  spacing: triple.nullable(),
  normalisation: json,
  /** Output channel by label name; background is 0. */
  labels: z.record(z.string(), z.number().int().min(0)),
  outcome: z.enum(["converged", "not-converged"]),
  /** Why the training did not converge; null if it did. */
  criterion: z.string().nullable(),
  /** Mean loss of each epoch; NaN and infinities are null. */
  losses: z.array(z.number().nullable()).readonly(),
  /** What the training ran on, if its results depend on more than the params (PyTorch's device, driver, cuDNN). */
  platform: z.record(z.string(), z.string()).readonly().nullable().optional(),
});

const fileSchema = z.strictObject({ version: z.literal(version), checkpoint: recordSchema });

export interface Checkpoint extends Readonly<z.infer<typeof recordSchema>> {
  readonly weights: Weights;
  /** Null if the optimiser's state was not kept. */
  readonly moments: Moments | null;
}

/** The file's bytes. Throws an Error that names the wrong field or the parameter without values. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { weights, moments, platform, ...rest } = checkpoint;
  const record = recordSchema.parse({ ...rest, ...(platform && { platform }) });
  const tensors = new Map<string, StoredTensor>();
  const store = (prefix: string, values: Weights) => {
    for (const { name, shape } of parameters(rest.spec)) {
      const data = values.get(name);
      if (data === undefined) throw new Error(`checkpoint: ${name} has no values`);
      tensors.set(`${prefix}${name}`, { shape, data });
    }
  };
  store("", weights);
  if (moments !== null) {
    store("optimizer.exp_avg.", moments.first);
    store("optimizer.exp_avg_sq.", moments.second);
  }
  const metadata = new Map([
    ["format", "pt"],
    ["lq", JSON.stringify({ version, checkpoint: sortKeys(record) })],
  ]);
  return encodeSafetensors({ tensors, metadata });
}

/** Throws an Error that says why, if the bytes are not a checkpoint of lq. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  return checkpointIn(decodeSafetensors(bytes));
}

/** Like decodeCheckpoint, for a file that is already decoded. */
export function checkpointIn({ tensors, metadata }: Safetensors): Checkpoint {
  const text = metadata.get("lq");
  if (text === undefined) throw new Error("not a checkpoint of lq: its metadata has no entry `lq`");
  let parsed: ReturnType<typeof fileSchema.safeParse>;
  try {
    parsed = fileSchema.safeParse(JSON.parse(text));
  } catch {
    throw new Error("not a checkpoint of lq: its metadata is not JSON");
  }
  if (!parsed.success) throw new Error(`not a checkpoint of lq: ${z.prettifyError(parsed.error)}`);
  const record = parsed.data.checkpoint;
  checkSpec(record.spec);
  const take = (prefix: string): Map<string, Float32Array> =>
    new Map(
      parameters(record.spec).map(({ name, shape }) => {
        const tensor = tensors.get(prefix + name);
        if (!(tensor?.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) {
          throw new Error(`checkpoint: ${prefix}${name} is missing or is not float32 [${shape.join(", ")}]`);
        }
        return [name, tensor.data];
      }),
    );
  const resumable = [...tensors.keys()].some((name) => name.startsWith("optimizer."));
  return {
    ...record,
    weights: take(""),
    moments: resumable ? { first: take("optimizer.exp_avg."), second: take("optimizer.exp_avg_sq.") } : null,
  };
}

/** Reads and decodes a checkpoint. Throws an Error that names the file. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  try {
    return decodeCheckpoint(await readFile(path));
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
