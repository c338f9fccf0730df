/** A trained network that is ready to predict: its checkpoint and a session for its patch size. */
import { statSync } from "node:fs";
import { Tensor } from "onnxruntime-node";
import type { Shape } from "../arrays.ts";
import { slidingWindow } from "./sliding-window.ts";
import { inferenceGraph } from "../nn/inference-graph.ts";
import { readCheckpoint, type Checkpoint } from "../nn/checkpoint.ts";
import { createSession } from "../nn/session.ts";
import { labelsOfHeads } from "../resample/labels-of-heads.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";
import type { Inference } from "../params/settings.ts";

export interface TrainedNetwork {
  readonly checkpoint: Checkpoint;
  /**
   * For a network with two outputs: probability of the second at each voxel, (z, y, x) in C order. `channels` is
   * (channels, z, y, x), `shape` is (z, y, x).
   */
  foreground(channels: Float32Array, shape: Shape, signal: AbortSignal): Promise<Float32Array>;
  /**
   * Predicts a prepared image (canonical axes, the network's spacing and normalisation), resamples the logits to the
   * grid `onto` (canonical axes too), and takes the arg-max. Label values are output channels.
   */
  segment(image: Volume, onto: Grid, options: Inference & { signal: AbortSignal }): Promise<LabelVolume>;
}

/** Networks that stay open between the tasks of a worker. */
const open = new Map<string, Promise<TrainedNetwork>>();

/** Opens the checkpoint at `path`, once in each worker. Throws an Error that names the file if it is no checkpoint of lq. */
export function openNetwork(path: string, threads: number): Promise<TrainedNetwork> {
  const { ino, size, mtimeMs } = statSync(path);
  const key = [threads, path, ino, size, mtimeMs].join(" ");
  const known = open.get(key);
  if (known) return known;
  if (open.size >= 8) open.clear();
  const opening = load(path, threads);
  open.set(key, opening);
  return opening;
}

async function load(path: string, threads: number): Promise<TrainedNetwork> {
  const checkpoint = await readCheckpoint(path);
  const { spec, weights, patch } = checkpoint;
  const session = await createSession(inferenceGraph(spec, weights, patch), { threads });
  const predict = async (patches: Float32Array, batch: number) => {
    const { logits } = await session.run({
      image: new Tensor("float32", patches, [batch, spec.inChannels, ...patch]),
    });
    if (!(logits?.data instanceof Float32Array))
      throw new Error(`${path}: the network gives no float32 logits`);
    return logits.data;
  };
  return {
    checkpoint,
    async foreground(channels, shape, signal) {
      const [outside, inside] = await slidingWindow(channels, shape, predict, { patch, step: 0.5, signal });
      if (!outside || !inside) throw new Error(`${path}: the network has less than two outputs`);
      return inside.map((logit, i) => 1 / (1 + Math.exp((outside[i] ?? 0) - logit)));
    },
    async segment(image, onto, { step, signal }) {
      const [nx, ny, nz] = image.size;
      const data = Float32Array.from(image.data);
      const logits = await slidingWindow(data, [nz, ny, nx], predict, { patch, step, signal });
      const [x, y, z] = onto.size;
      const work = { heads: logits, shape: [nz, ny, nx], newShape: [z, y, x], separate: null } as const;
      return { ...onto, data: await labelsOfHeads({ ...work, choice: "greatest" }, logits.length - 1) };
    },
  };
}
