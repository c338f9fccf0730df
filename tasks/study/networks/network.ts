/**
 * An ONNX graph over the weights of a checkpoint. The graph goes to `NAME.onnx`, the weights to `NAME.weights` beside
 * it. So networks of any size can be written in little memory; a protobuf file is limited to 2 GiB.
 */
import { createHash } from "node:crypto";
import { open, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { createGraph, type Graph, type Value } from "../nn/onnx/graph.ts";
import type { Tensor } from "../torch/tensor.ts";
import type { StateDict } from "./state-dict.ts";

export class Network {
  readonly graph: Graph;
  readonly state: StateDict;
  readonly #location: string;
  readonly #path: string;
  readonly #used = new Map<string, Tensor>();
  #offset = 0;

  /** `path` has no file extension: `path.onnx` and `path.weights` are written. */
  constructor(path: string, state: StateDict) {
    this.#path = path;
    this.#location = `${basename(path)}.weights`;
    this.graph = createGraph(basename(path));
    this.state = state;
  }

  /** Shape of a weight. Throws an Error if the checkpoint has no weight of that name. */
  shape(name: string): readonly number[] {
    const tensor = this.state.get(name);
    if (!tensor) throw new Error(`the checkpoint has no weight ${name}`);
    return tensor.shape;
  }

  /** Adds a weight to the graph. Throws an Error if its shape is not `expected`, where null means any size. */
  weight(name: string, expected: readonly (number | null)[]): Value {
    const shape = this.shape(name);
    if (shape.length !== expected.length || shape.some((n, i) => n !== (expected[i] ?? n))) {
      const wanted = expected.map((n) => n ?? "any").join(", ");
      throw new Error(
        `weight ${name} is of shape [${shape.join(", ")}], but the network asks for [${wanted}]`,
      );
    }
    if (this.#used.has(name)) return name;
    const tensor = this.state.get(name)!;
    this.#used.set(name, tensor);
    const length = tensor.size * 4;
    this.graph.external(name, shape, { location: this.#location, offset: this.#offset, length });
    this.#offset = align(this.#offset + length);
    return name;
  }

  /** Writes the model. Throws an Error if the checkpoint has weights that the graph does not use and `spare` does not match. */
  async write(spare?: RegExp): Promise<void> {
    const left = [...this.state.keys()].filter((name) => !this.#used.has(name) && !spare?.test(name));
    if (left.length > 0) {
      const names = left.slice(0, 3).join(", ");
      throw new Error(`the checkpoint has ${left.length} weights that the network does not use: ${names} …`);
    }
    const digest = createHash("sha256");
    const file = await open(`${this.#path}.weights`, "w");
    try {
      for (const tensor of this.#used.values()) {
        const values = await tensor.read();
        const bytes = new Uint8Array(align(values.byteLength));
        bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
        digest.update(bytes);
        await file.writeFile(bytes);
      }
    } finally {
      await file.close();
    }
    // The graph contains the digest of its weights, so that two models never have the same .onnx.
    await writeFile(`${this.#path}.onnx`, this.graph.finish({ weights: digest.digest("hex") }));
  }
}

/** Rounds up to a multiple of 64 bytes, where each weight begins. */
function align(length: number): number {
  return Math.ceil(length / 64) * 64;
}
