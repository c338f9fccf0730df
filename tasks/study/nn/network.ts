/** A network that is ready to run, on whichever backend. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Shape, Triple } from "../arrays.ts";
import { type Backend, chooseBackend } from "./backend.ts";
import type { Checkpoint } from "./checkpoint.ts";

export interface NdArray {
  readonly shape: readonly number[];
  /** In C order. */
  readonly data: Float32Array;
}

export type NamedArrays = Readonly<Record<string, NdArray>>;

/** How a volume is cut into windows. Axes are z, y, x. */
export interface VolumePlan {
  readonly shape: Shape;
  readonly patch: Shape;
  /** Zeros around the volume, so that no axis is shorter than the patch. */
  readonly before: Shape;
  readonly after: Shape;
  /** First voxels of the windows along each axis, in the padded volume. */
  readonly starts: readonly (readonly number[])[];
  /** Axes to mirror; the mean over all entries is taken. */
  readonly mirrors: readonly (readonly number[])[];
  /** One weight for each voxel of a window. */
  readonly weights: Float32Array;
  readonly signal?: AbortSignal | undefined;
  /** Called with the share that is done. */
  readonly progress?: ((share: number) => void) | undefined;
}

export interface Network {
  /** Runs the network on its inputs by name; returns its outputs by name. */
  run(inputs: NamedArrays): Promise<NamedArrays>;
  /**
   * Only on a backend that predicts whole volumes on its device: the mean over networks of the weighted means of all
   * windows, one shared array (z, y, x) for each class. `image` is (channels, z, y, x). Throws an Error if a value is
   * not finite.
   */
  readonly volume?: (
    networks: readonly Network[],
    image: Float32Array,
    plan: VolumePlan,
  ) => Promise<Float32Array[]>;
  /** False when the process that runs it has ended; then it can only be opened again. */
  isAlive(): boolean;
  close(): Promise<void>;
}

/** The network of a checkpoint for images of `patch` (z, y, x): input `image`, output `logits`. The caller closes it. */
export async function networkOf(
  { spec, weights }: Pick<Checkpoint, "spec" | "weights">,
  patch: Triple,
  options: Backend,
): Promise<Network> {
  const worker = await chooseBackend(options);
  if (worker !== null) {
    const { plainInferenceGraph } = await import("./plain-graph.ts");
    const { loadInPyTorch } = await import("./pytorch/network.ts");
    return loadInPyTorch(worker, plainInferenceGraph(spec, weights), options);
  }
  const { inferenceGraph } = await import("./inference-graph.ts");
  const { onnxNetwork } = await import("./onnx-network.ts");
  return onnxNetwork(inferenceGraph(spec, weights, patch), options);
}

const cacheSize = 8;
const cache = new Map<string, Promise<Network>>();

/**
 * The network in a model file. Files with the same content share one. Do not close it: with more than eight networks,
 * this function closes the least recently used one. Throws an Error that names the file.
 */
export async function openNetwork(path: string, options: Backend = {}): Promise<Network> {
  const model = await readFile(path);
  const digest = createHash("sha256").update(model).digest("hex");
  const { threads, device, devices, backend, precision } = options;
  const key = JSON.stringify([digest, threads, device, devices, backend, precision]);
  const kept = await cache.get(key);
  const network =
    (kept?.isAlive() ? cache.get(key) : undefined) ??
    load(path, model, options).catch((cause: unknown) => {
      cache.delete(key);
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  cache.delete(key);
  cache.set(key, network);
  for (const [oldest, old] of cache) {
    if (cache.size <= cacheSize) break;
    cache.delete(oldest);
    void old.then((unused) => unused.close());
  }
  return network;
}

async function load(path: string, model: Uint8Array, options: Backend): Promise<Network> {
  const worker = await chooseBackend(options);
  if (worker === null) return (await import("./onnx-network.ts")).onnxNetwork(path, options);
  const { decodeModel } = await import("./onnx/proto.ts");
  const { loadInPyTorch } = await import("./pytorch/network.ts");
  return loadInPyTorch(worker, decodeModel(model), options, path);
}
