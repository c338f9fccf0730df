/** A network that PyTorch runs. */
import { sharedArray } from "../../threads/crew.ts";
import type { Backend } from "../backend.ts";
import type { NamedArrays, NdArray, Network } from "../network.ts";
import type { ModelProto } from "../onnx/proto.ts";
import { describe } from "./describe.ts";
import type { PyTorch } from "./process.ts";

interface Output {
  readonly name: string;
  readonly shape: readonly number[];
}

/** `path` is the model's file if its weights are in another file beside it. */
export async function loadInPyTorch(
  worker: PyTorch,
  model: ModelProto,
  { precision = "fp32", threads = 1 }: Backend,
  path?: string,
): Promise<Network> {
  const { graph, arrays, weights } = describe(model, path);
  const name = worker.newName();
  for (const [key, { shape, data }] of arrays) await worker.put(`${name}/${key}`, shape, data);
  await worker.request("network", { name, graph, weights });
  const common = { precision, threads };

  const network: Network & { readonly name: string } = {
    name,
    async run(inputs) {
      const keys: Record<string, string> = {};
      for (const [input, { shape, data }] of Object.entries(inputs)) {
        keys[input] = `${name}/input ${input}`;
        await worker.put(keys[input], shape, data);
      }
      const { outputs } = await worker.request("run", { name, inputs: keys, ...common });
      const results: Record<string, NdArray> = {};
      for (const [i, output] of (outputs as Output[]).entries()) {
        const data = new Float32Array(output.shape.reduce((a, b) => a * b, 1));
        await worker.take(output.name, data);
        results[graph.outputs[i]!] = { shape: output.shape, data };
      }
      return results satisfies NamedArrays;
    },
    async volume(networks, image, { weights: windowWeights, signal, progress, ...plan }) {
      const voxels = plan.shape.reduce((a, b) => a * b, 1);
      await worker.put(`${name}/image`, [image.length / voxels, ...plan.shape], image);
      await worker.put(`${name}/weights`, [windowWeights.length], windowWeights);
      const { outputs } = await worker.request(
        "volume",
        {
          ...plan,
          ...common,
          networks: networks.map((each) => (each as typeof network).name),
          image: `${name}/image`,
          weights: `${name}/weights`,
          input: model.graph.input[0]?.name,
        },
        { ...(progress && { progress }), ...(signal && { signal }) },
      );
      const heads: Float32Array[] = [];
      for (const output of outputs as Output[]) {
        const head = sharedArray(Float32Array, voxels);
        await worker.take(output.name, head);
        heads.push(head);
      }
      return heads;
    },
    isAlive: () => worker.alive,
    async close() {
      if (worker.alive) await worker.request("close", { name });
    },
  };
  return network;
}
