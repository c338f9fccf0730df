/** Trains a DynUNet step by step. Between steps, the state stays in onnxruntime tensors. */
import { Tensor } from "onnxruntime-node";
import type { Triple } from "../arrays.ts";
import type { DynUNetSpec } from "./dynunet.ts";
import { parameters, type Weights } from "./parameters.ts";
import { type AdamW, adamWDefaults } from "./autodiff/adamw.ts";
import type { LossOptions } from "./autodiff/loss.ts";
import { product } from "./autodiff/shapes.ts";
import { createSession } from "./session.ts";
import { trainingGraph } from "./training-graph.ts";

export interface TrainerOptions {
  readonly spec: DynUNetSpec;
  readonly batch: number;
  /** Voxels along (z, y, x). */
  readonly patch: Triple;
  readonly weights: Weights;
  /** Moments of a training that continues; zeros by default. */
  readonly moments?: Moments;
  /** Steps already done; default 0. */
  readonly step?: number;
  /** Default 1. Results depend on it in the last digits. */
  readonly threads?: number;
  readonly optimizer?: Partial<AdamW>;
  readonly loss?: LossOptions;
}

/** Adam's running means of the gradient and of its square. */
export interface Moments {
  readonly first: Weights;
  readonly second: Weights;
}

export interface StepResult {
  readonly loss: number;
  readonly dice: number;
  readonly ce: number;
}

export interface Trainer {
  /**
   * Does one step. `images` is (N, C, z, y, x), `labels` (N, z, y, x), `lr` the learning rate.
   * Throws a RangeError for a label without an output channel.
   */
  step(images: Float32Array, labels: Uint8Array, lr: number): Promise<StepResult>;
  /** Copies of the weights, by parameter name. */
  weights(): Map<string, Float32Array>;
  moments(): { first: Map<string, Float32Array>; second: Map<string, Float32Array> };
  /** Steps done so far, including those before this trainer was created. */
  steps(): number;
  dispose(): Promise<void>;
}

/** Throws an Error if the patch does not fit the network, or weights or moments do not fit its parameters. */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { spec, batch, patch } = options;
  const optimizer = { ...adamWDefaults, ...options.optimizer };
  const list = parameters(spec);
  const graph = trainingGraph({ spec, batch, patch, optimizer, ...(options.loss && { loss: options.loss }) });
  const session = await createSession(graph, { threads: options.threads ?? 1, training: true });
  const size = list.reduce((total, { shape }) => total + product(shape), 0);

  const flatten = (weights: Weights | undefined): Tensor => {
    const flat = new Float32Array(size);
    let offset = 0;
    for (const { name, shape } of weights === undefined ? [] : list) {
      const values = weights?.get(name);
      if (values?.length !== product(shape)) {
        throw new Error(`weights: ${name} should hold ${product(shape)} values, not ${values?.length ?? 0}`);
      }
      flat.set(values, offset);
      offset += values.length;
    }
    return new Tensor("float32", flat, [size]);
  };
  const split = (tensor: Tensor): Map<string, Float32Array> => {
    const flat = tensor.data as Float32Array;
    let offset = 0;
    return new Map(
      list.map(({ name, shape }) => [name, flat.slice(offset, (offset += product(shape)))] as const),
    );
  };
  let state = {
    weights: flatten(options.weights),
    first: flatten(options.moments?.first),
    second: flatten(options.moments?.second),
  };
  let steps = options.step ?? 0;

  return {
    async step(images, labels, lr) {
      checkLabels(labels, spec.outChannels);
      const t = steps + 1;
      const result = await session.run(
        {
          ...state,
          image: new Tensor("float32", images, [batch, spec.inChannels, ...patch]),
          label: new Tensor("uint8", labels, [batch, 1, ...patch]),
          learning_rate: scalar(lr),
          correction1: scalar(1 - optimizer.beta1 ** t),
          correction2: scalar(1 - optimizer.beta2 ** t),
        },
        ["weights_out", "first_out", "second_out", "loss", "dice", "ce"],
      );
      state = {
        weights: result["weights_out"]!,
        first: result["first_out"]!,
        second: result["second_out"]!,
      };
      steps = t;
      const number = (name: string) => Number(result[name]?.data[0]);
      return { loss: number("loss"), dice: number("dice"), ce: number("ce") };
    },
    weights: () => split(state.weights),
    moments: () => ({ first: split(state.first), second: split(state.second) }),
    steps: () => steps,
    dispose: () => session.release(),
  };
}

const scalar = (value: number) => new Tensor("float32", Float32Array.of(value), []);

function checkLabels(labels: Uint8Array, classes: number): void {
  for (const label of labels) {
    if (label >= classes) {
      throw new RangeError(`label ${label} has no output channel: the network has ${classes} classes`);
    }
  }
}
