/** Reads trained weights to start from: a checkpoint of lq, or the state dict of a MONAI DynUNet (.pth or safetensors). */
import { open, readFile } from "node:fs/promises";
import { readStateDict } from "../networks/state-dict.ts";
import { checkpointIn, type Checkpoint } from "../nn/checkpoint.ts";
import { decodeSafetensors, type StoredTensor } from "../nn/safetensors.ts";
import { readCheckpoint as readTorch } from "../torch/checkpoint.ts";
import { Tensor } from "../torch/tensor.ts";
import type { Pickled } from "../torch/values.ts";

export interface Start {
  readonly path: string;
  /** Tensors by MONAI's names, in PyTorch's layout, without duplicate names (`skip_layers.…`) and optimiser state. */
  readonly tensors: ReadonlyMap<string, StartTensor>;
  /** How lq trained the network; null if another program wrote the file. */
  readonly record: Checkpoint | null;
}

interface StartTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor of every DynUNet. Text before this name is the prefix of a wrapper (`network.`, `module.`). */
const FIRST = "input_block.conv1.conv.weight";

/** Recognises the format by the content, not the name. Throws an Error that names the file and says what is wrong. */
export async function readStart(path: string): Promise<Start> {
  if (!(await isSafetensors(path))) return { path, tensors: await fromTorch(path), record: null };
  try {
    const file = decodeSafetensors(await readFile(path));
    const keys = [...unwrapped([...file.tensors.keys()])];
    const tensors = new Map(keys.map(([name, key]) => [name, float32(key, file.tensors.get(key)!)]));
    return { path, tensors, record: file.metadata.has("lq") ? checkpointIn(file) : null };
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** In a safetensors file, the JSON header begins at the ninth byte. */
async function isSafetensors(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(9), 0, 9, 0);
    return bytesRead === 9 && buffer[8] === "{".charCodeAt(0);
  } finally {
    await file.close();
  }
}

async function fromTorch(path: string): Promise<Start["tensors"]> {
  const content = await readTorch(path);
  try {
    const state = await readStateDict(stateDictIn(content));
    const tensors = new Map<string, StartTensor>();
    for (const [name, key] of unwrapped([...state.keys()])) {
      const tensor = state.get(key)!;
      tensors.set(name, { shape: tensor.shape, data: await tensor.read() });
    }
    return tensors;
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Finds the state dict: the content itself, or an entry of a training checkpoint (`state_dict`, `model`, …). */
function stateDictIn(content: Pickled): Pickled {
  const candidates = content instanceof Map ? [content, ...content.values()] : [];
  const found = candidates.find(
    (value): value is Map<Pickled, Pickled> =>
      value instanceof Map &&
      [...value].some(([key, at]) => typeof key === "string" && key.endsWith(FIRST) && at instanceof Tensor),
  );
  if (found !== undefined) return found;
  throw new Error(
    noDynUNet(content instanceof Map ? [...content.keys()].filter((key) => typeof key === "string") : []),
  );
}

/** For each name in a plain DynUNet its name in the file. */
function unwrapped(keys: readonly string[]): Map<string, string> {
  const first = keys.find((key) => key.endsWith(FIRST));
  if (first === undefined) throw new Error(noDynUNet(keys));
  const prefix = first.slice(0, -FIRST.length);
  return new Map(
    keys
      .filter((key) => key.startsWith(prefix))
      .map((key) => [key.slice(prefix.length), key] as const)
      .filter(([name]) => !/^(skip_layers|optimizer)\./.test(name)),
  );
}

function noDynUNet(keys: readonly string[]): string {
  const there = keys.length === 0 ? "nothing with a name" : keys.slice(0, 5).join(", ");
  return `no weights of a DynUNet: no tensor is named ${FIRST}; there is ${there}${keys.length > 5 ? ", …" : ""}`;
}

function float32(name: string, { shape, data }: StoredTensor): StartTensor {
  if (data instanceof Float32Array) return { shape, data };
  if (data instanceof Float64Array) return { shape, data: Float32Array.from(data) };
  throw new Error(`${name} is not of float32 or float64`);
}
