/** Trains a DynUNet with onnxruntime. Between steps, the state stays in onnxruntime tensors. */
import { Tensor } from "onnxruntime-node";
import { adamWDefaults } from "./autodiff/adamw.ts";
import { flatLength, flatten, unflatten } from "./flat.ts";
import { createSession } from "./session.ts";
import { checkLabels, type Trainer, type TrainerOptions } from "./trainer.ts";
import { trainingGraph } from "./training-graph.ts";

/** Throws an Error if the patch does not fit the network, or weights or moments do not fit its parameters. */
export async function createOnnxTrainer(options: TrainerOptions): Promise<Trainer> {
  const { spec, batch, patch, moments } = options;
  const optimizer = { ...adamWDefaults, ...options.optimizer };
  const graph = trainingGraph({ spec, batch, patch, optimizer, ...(options.loss && { loss: options.loss }) });
  const session = await createSession(graph, { ...options, training: true });
  const size = flatLength(spec);
  const vector = (values: Float32Array): Tensor => new Tensor("float32", values, [size]);
  let state = {
    weights: vector(flatten(spec, options.weights)),
    first: vector(moments ? flatten(spec, moments.first) : new Float32Array(size)),
    second: vector(moments ? flatten(spec, moments.second) : new Float32Array(size)),
  };
  let steps = options.step ?? 0;

  const run = async (image: Tensor, label: Tensor, rate: number) => {
    const t = steps + 1;
    const result = await session.run(
      {
        ...state,
        image,
        label,
        learning_rate: scalar(rate),
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
  };
  const split = (tensor: Tensor) => unflatten(spec, tensor.data as Float32Array);

  return {
    prepare(images, labels) {
      checkLabels(labels, spec.outChannels, options.loss?.ignore);
      const image = new Tensor("float32", images, [batch, spec.inChannels, ...patch]);
      const label = new Tensor("uint8", labels, [batch, 1, ...patch]);
      return (rate) => run(image, label, rate);
    },
    state: () =>
      Promise.resolve({
        weights: split(state.weights),
        moments: { first: split(state.first), second: split(state.second) },
      }),
    steps: () => steps,
    platform: null,
    dispose: () => session.release(),
  };
}

const scalar = (value: number) => new Tensor("float32", Float32Array.of(value), []);
