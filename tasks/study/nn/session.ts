/**
 * The one place where onnxruntime sessions are made: threads, device, and a small cache, so that the tasks of
 * one worker that use the same model load it once.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InferenceSession } from "onnxruntime-node";

export type Device = "cpu" | "webgpu" | "cuda" | "auto";

export interface SessionOptions {
  /** Threads inside one operation; default 1, with which results do not depend on the machine's load. */
  readonly threads?: number;
  /**
   * Default cpu. `auto` takes cuda where the task holds a GPU and it starts, else the cpu. CUDA shows the process no
   * other GPUs than its task's (CUDA_VISIBLE_DEVICES), so the first is the right one. WebGPU takes the machine's
   * first, whatever the task holds, and has no transposed convolutions in 3D.
   */
  readonly device?: Device;
  /**
   * For training graphs, of a thousand nodes run hundreds of times. The runtime finds nothing to rewrite in them, in
   * 40 ms; and what it would plan of their memory before the second step is half as large again as what they use.
   */
  readonly training?: boolean;
  /** Ids of the GPUs that the task holds, none by default. */
  readonly devices?: readonly string[];
  /** Told of each session that is made. */
  readonly log?: (line: string) => void;
}

/**
 * A session of a model in memory or of a model file, the caller's own: `release()` it. Throws an Error that says
 * why it fails. Only a file can have its weights in another file beside it.
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
      // The overloads for a path and for bytes do not take their union.
      const session = await (typeof model === "string"
        ? InferenceSession.create(model, settings)
        : InferenceSession.create(model, settings));
      options.log?.(
        `loaded ${typeof model === "string" ? model : "a network"} on ${provider}, threads: ${threads}`,
      );
      return session;
    } catch (error) {
      failures.push(`${provider}: ${reasonOf(error)}`);
    }
  }
  throw new Error(`onnxruntime cannot load the model (${failures.join("; ")})${hintFor(options.device)}`);
}

function providers({ device = "cpu", devices = [] }: SessionOptions): ("cuda" | "webgpu" | "cpu")[] {
  if (device === "auto") return devices.length > 0 ? ["cuda", "cpu"] : ["cpu"];
  if (device === "cuda" && devices.length === 0) {
    throw new Error(
      "device: cuda, but the task holds no GPU: none was free, or its rule asks for none (slots: { gpu: 1 })",
    );
  }
  return [device];
}

/** Without the place in the runtime's sources that its messages begin with. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^\/\S+:\d+ .*? was false\. /s, "").trim();
}

function hintFor(device: Device | undefined): string {
  if (device === "cuda") {
    return `. The libraries for CUDA 12 are fetched, in lq's folder, by: ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install`;
  }
  return device === "webgpu" ? ". WebGPU needs a GPU with a Vulkan driver" : "";
}

const cacheSize = 8;
const cache = new Map<string, Promise<InferenceSession>>();

/**
 * A shared session of a model file, by its content; do not release it. The least recently used of more than eight
 * is released.
 */
export async function openSession(path: string, options: SessionOptions = {}): Promise<InferenceSession> {
  const model = await readFile(path);
  const digest = createHash("sha256").update(model).digest("hex");
  const key = JSON.stringify([digest, options.threads, options.device, options.training]);
  const session =
    cache.get(key) ??
    createSession(path, options).catch((cause: unknown) => {
      cache.delete(key);
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  cache.delete(key);
  cache.set(key, session);
  for (const [oldest, old] of cache) {
    if (cache.size <= cacheSize) break;
    cache.delete(oldest);
    void old.then((unused) => unused.release());
  }
  return session;
}
