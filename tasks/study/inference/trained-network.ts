/** A trained network that is ready to predict: its checkpoint, and the network for its patch size. */
import { statSync } from "node:fs";
import type { Shape } from "../arrays.ts";
import { predictVolume } from "./predict-volume.ts";
import type { Backend } from "../nn/backend.ts";
import { readCheckpoint, type Checkpoint } from "../nn/checkpoint.ts";
import { networkOf } from "../nn/network.ts";
import { labelsOfHeads } from "../resample/labels-of-heads.ts";
import type { Grid, LabelVolume, Volume } from "../volume/volume.ts";
import type { Inference } from "../params/settings.ts";

export interface TrainedNetwork {
  readonly checkpoint: Checkpoint;
  isAlive(): boolean;
  close(): Promise<void>;
  /**
   * For a network with two outputs: probability of the second at each voxel, (z, y, x) in C order. `channels` is
   * (channels, z, y, x), `shape` is (z, y, x).
   */
  foreground(channels: Float32Array, shape: Shape, signal: AbortSignal): Promise<Float32Array>;
  /**
   * Predicts a prepared image (canonical axes, the network's spacing and normalisation), resamples the logits to the
   * grid `onto` (canonical axes too), and takes the arg-max. Label values are output channels.
   */
  segment(
    image: Volume,
    onto: Grid,
    options: Pick<Inference, "step"> & { signal: AbortSignal },
  ): Promise<LabelVolume>;
}

/** Networks that stay open between the tasks of a worker. */
const open = new Map<string, Promise<TrainedNetwork>>();

/** Opens the checkpoint at `path`, once in each worker. Throws an Error that names the file if it is no checkpoint of lq. */
export async function openNetwork(path: string, options: Backend): Promise<TrainedNetwork> {
  const { ino, size, mtimeMs } = statSync(path);
  const key = JSON.stringify([options, path, ino, size, mtimeMs]);
  const known = await open.get(key);
  if (known?.isAlive()) return known;
  if (open.size >= 8) {
    for (const old of open.values()) void old.then(({ close }) => close());
    open.clear();
  }
  const opening = load(path, options);
  open.set(key, opening);
  opening.catch(() => open.delete(key));
  return opening;
}

async function load(path: string, options: Backend): Promise<TrainedNetwork> {
  const checkpoint = await readCheckpoint(path);
  const { patch } = checkpoint;
  const network = await networkOf(checkpoint, patch, options);
  const predict = (image: Float32Array, shape: Shape, step: number, signal: AbortSignal) =>
    predictVolume([network], { input: "image", output: "logits" }, image, shape, { patch, step, signal });
  return {
    checkpoint,
    isAlive: () => network.isAlive(),
    close: () => network.close(),
    async foreground(channels, shape, signal) {
      const [outside, inside] = await predict(channels, shape, 0.5, signal);
      if (!outside || !inside) throw new Error(`${path}: the network has less than two outputs`);
      return inside.map((logit, i) => 1 / (1 + Math.exp((outside[i] ?? 0) - logit)));
    },
    async segment(image, onto, { step, signal }) {
      const [nx, ny, nz] = image.size;
      const data = Float32Array.from(image.data);
      const logits = await predict(data, [nz, ny, nx], step, signal);
      const [x, y, z] = onto.size;
      const work = { heads: logits, shape: [nz, ny, nx], newShape: [z, y, x], separate: null } as const;
      return { ...onto, data: await labelsOfHeads({ ...work, choice: "greatest" }, logits.length - 1) };
    },
  };
}
