/**
 * Creates every onnxruntime session: sets threads and device.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { decodeModel, encodeModel } from "./onnx/proto.ts";
import { forWebGpu } from "./webgpu-graph.ts";

export type Device = "cpu" | "webgpu" | "cuda" | "auto";

export interface SessionOptions {
  /** Threads inside one operation; default 1. Results depend on it in the last digits. */
  readonly threads?: number;
  /**
   * Default cpu. `auto` takes cuda if the task holds a GPU and CUDA starts, else the cpu. CUDA shows the process only
   * the GPUs of its task (CUDA_VISIBLE_DEVICES), so we take the first. WebGPU takes the machine's first GPU, so the task
   * must hold this one.
   */
  readonly device?: Device;
  /**
   * Set for training graphs, which have a thousand nodes and run hundreds of times. It switches two things off: the
   * graph optimiser, which takes 40 ms and finds nothing to change, and memory patterns, which reserve half as much
   * memory again as a step uses.
   */
  readonly training?: boolean;
  /** Ids of the GPUs that the task holds, none by default. */
  readonly devices?: readonly string[];
  /** Gets one line for each new session. */
  readonly log?: (line: string) => void;
}

/**
 * Creates a session from a model in memory or from a model file. The caller must `release()` it. Throws an Error that
 * says why it fails. Only a model file can have its weights in another file beside it.
 */
export async function createSession(
  model: Uint8Array | string,
  options: SessionOptions = {},
): Promise<InferenceSession> {
  const { threads = 1, training = false } = options;
  const failures: string[] = [];
  for (const provider of providers(options)) {
    try {
      const settings: InferenceSession.SessionOptions = {
        executionProviders: provider === "cpu" ? ["cpu"] : [provider, "cpu"],
        executionMode: "sequential",
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: training ? "disabled" : "all",
        enableMemPattern: !training,
        logSeverityLevel: 3,
      };
      const session = await open(model, provider, settings);
      const what = typeof model === "string" ? model : "a network";
      const why = failures.length === 0 ? "" : ` (not on ${failures.join("; ")})`;
      options.log?.(`loaded ${what} on ${provider}, threads: ${threads}${why}`);
      return session;
    } catch (error) {
      failures.push(`${provider}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`onnxruntime cannot load the model (${failures.join("; ")})${hintFor(options.device)}`);
}

function open(
  model: Uint8Array | string,
  provider: "cuda" | "webgpu" | "cpu",
  settings: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  // TypeScript needs two calls: no overload of `create` takes a path or bytes.
  if (provider !== "webgpu")
    return typeof model === "string"
      ? InferenceSession.create(model, settings)
      : InferenceSession.create(model, settings);
  const { graph, ...rest } = decodeModel(typeof model === "string" ? readFileSync(model) : model);
  const bytes = encodeModel(forWebGpu({ graph, ...rest }));
  if (typeof model !== "string") return InferenceSession.create(bytes, settings);
  const beside = graph.initializer.flatMap(({ externalData = [] }) =>
    externalData.flatMap(({ key, value }) => (key === "location" ? [value] : [])),
  );
  const externalData = [...new Set(beside)].map((path) => ({
    path,
    data: readLarge(join(dirname(model), path)),
  }));
  return InferenceSession.create(bytes, { ...settings, externalData });
}

/** A file of any size: `readFileSync` ends at 2 GiB. */
function readLarge(path: string): Uint8Array {
  const bytes = new Uint8Array(statSync(path).size);
  const file = openSync(path, "r");
  try {
    for (let at = 0, read = 1; at < bytes.length; at += read) {
      read = readSync(file, bytes, at, Math.min(bytes.length - at, 2 ** 30), at);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

function providers({ device = "cpu", devices = [] }: SessionOptions): ("cuda" | "webgpu" | "cpu")[] {
  if (device === "auto") return devices.length > 0 ? ["cuda", "cpu"] : ["cpu"];
  if (device === "cuda" && devices.length === 0) {
    throw new Error(
      "device: cuda, but the task holds no GPU: none was free, or its rule asks for none (slots: { gpu: 1 })",
    );
  }
  if (device === "webgpu" && devices[0] !== "0") {
    const held = devices.length === 0 ? "the task holds none" : `the task holds GPU ${devices.join(", ")}`;
    throw new Error(
      `device: webgpu takes the machine's first GPU, but ${held}, so other tasks may use it at the same time: ` +
        "ask for it (slots: { gpu: 1 }), and build with --slots gpu=1 where lq finds no GPU",
    );
  }
  return [device];
}

/** The runtime's message without its first part, which names a line of the runtime's source. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^\/\S+:\d+ .*? was false\. /s, "").trim();
}

function hintFor(device: Device | undefined): string {
  if (device === "cuda") {
    return `. To download the libraries for CUDA 12, run in lq's folder: ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install`;
  }
  return device === "webgpu" ? ". WebGPU needs a GPU with a Vulkan driver" : "";
}
