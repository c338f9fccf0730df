/** A network that onnxruntime runs. */
import { Tensor } from "onnxruntime-node";
import type { NdArray, Network } from "./network.ts";
import { createSession, type SessionOptions } from "./session.ts";

/** `model`: its bytes, or its file. Throws an Error that says why it cannot be loaded. */
export async function onnxNetwork(model: Uint8Array | string, options: SessionOptions): Promise<Network> {
  const session = await createSession(model, options);
  return {
    async run(inputs) {
      const feeds = Object.entries(inputs).map(
        ([name, { shape, data }]) => [name, new Tensor("float32", data, shape)] as const,
      );
      const results = await session.run(Object.fromEntries(feeds));
      const outputs: Record<string, NdArray> = {};
      for (const [name, tensor] of Object.entries(results)) {
        const data = await tensor.getData();
        if (!(data instanceof Float32Array)) throw new Error(`the network's output ${name} is not float32`);
        outputs[name] = { shape: tensor.dims, data };
      }
      return outputs;
    },
    isAlive: () => true,
    close: () => session.release(),
  };
}
