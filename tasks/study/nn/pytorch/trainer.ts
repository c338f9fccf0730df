/** Trains a DynUNet with PyTorch: the forward graph goes to the worker, which differentiates it. */
import { adamWDefaults } from "../autodiff/adamw.ts";
import { flatLength, flatten, unflatten } from "../flat.ts";
import { parameters } from "../parameters.ts";
import { plainTrainingGraph } from "../plain-graph.ts";
import { checkLabels, type Trainer, type TrainerOptions } from "../trainer.ts";
import { checkPatch, headWeight } from "../training-graph.ts";
import { describe } from "./describe.ts";
import type { PyTorch } from "./process.ts";

/** Batches that may be in the worker's memory: one for the running step, two that wait. */
const SLOTS = 3;

/** Throws an Error if the patch does not fit the network, or weights or moments do not fit its parameters. */
export async function createPyTorchTrainer(worker: PyTorch, options: TrainerOptions): Promise<Trainer> {
  const { spec, batch, patch, moments, loss = {}, precision = "fp32", threads = 1 } = options;
  checkPatch(spec, patch);
  const list = parameters(spec);
  const length = flatLength(spec);
  const name = worker.newName();
  let steps = options.step ?? 0;
  const parts = { weights: options.weights, first: moments?.first, second: moments?.second };
  for (const [part, values] of Object.entries(parts)) {
    if (steps === 0 && part !== "weights") continue;
    await worker.put(`${name}/${part}`, [length], values ? flatten(spec, values) : new Float32Array(length));
  }
  const { graph } = describe(plainTrainingGraph(spec));
  await worker.request("trainer", {
    name,
    graph,
    weights: null,
    parameters: list.map((parameter) => parameter.name),
    shapes: list.map(({ shape }) => shape),
    step: steps,
    optimizer: { ...adamWDefaults, ...options.optimizer },
    shares: graph.outputs.map((_, i) => headWeight(i, graph.outputs.length)),
    includeBackground: loss.includeBackground ?? false,
    batchDice: loss.batchDice ?? false,
    ignore: loss.ignore ?? false,
    precision,
    threads,
  });

  const imageShape = [batch, spec.inChannels, ...patch];
  const labelShape = [batch, 1, ...patch];
  const voxels = patch[0] * patch[1] * patch[2];
  const imageBytes = 4 * batch * spec.inChannels * voxels;
  const slots = Array.from({ length: SLOTS }, () => worker.reserve(imageBytes + batch * voxels));
  let next = 0;
  const part = async (which: keyof typeof parts) => {
    await worker.request("state", { name, part: which });
    const flat = new Float32Array(length);
    await worker.take("state", flat);
    return unflatten(spec, flat);
  };

  return {
    prepare(images, labels) {
      checkLabels(labels, spec.outChannels, loss.ignore);
      const at = slots[next++ % SLOTS]!;
      const places = {
        images: worker.write(at, imageShape, images),
        labels: worker.write(at + imageBytes, labelShape, labels),
      };
      return async (rate) => {
        const reply = await worker.request("step", { name, rate, ...places });
        steps++;
        const number = (key: string) => (typeof reply[key] === "number" ? reply[key] : NaN);
        return { loss: number("loss"), dice: number("dice"), ce: number("ce") };
      };
    },
    state: async () => ({
      weights: await part("weights"),
      moments: { first: await part("first"), second: await part("second") },
    }),
    steps: () => steps,
    platform: {
      backend: "torch",
      precision,
      ...worker.platform,
      repeats: repeats(precision, worker.platform.device),
    },
    async dispose() {
      slots.forEach((slot) => worker.release(slot));
      if (worker.alive) await worker.request("close", { name });
    },
  };
}

/** Where the same training gives the same bytes again. */
function repeats(precision: string, device: string): string {
  if (device === "cpu") return "same bytes with the same PyTorch and kind of processor";
  if (precision === "fp32") return "same bytes with the same PyTorch, card, driver and cuDNN";
  return "not the same bytes: other algorithms may be chosen in each run";
}
