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
  /** Default cpu. `auto` takes cuda, then webgpu, where they start, else the cpu. */
  readonly device?: Device;
  /**
   * For training graphs, of a thousand nodes run hundreds of times. The runtime finds nothing to rewrite in them, in
   * 40 ms; and what it would plan of their memory before the second step is half as large again as what they use.
   */
  readonly training?: boolean;
}

/**
 * A session of a model in memory or of a model file, the caller's own: `release()` it. Throws an Error that says
 * why it fails. Only a file can have its weights in another file beside it.
 */
export async function createSession(
  model: Uint8Array | string,
  options: SessionOptions = {},
): Promise<InferenceSession> {
  const { threads = 1, device = "cpu", training = false } = options;
  const failures: string[] = [];
  for (const provider of device === "auto" ? ["cuda", "webgpu", "cpu"] : [device]) {
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
      return await (typeof model === "string"
        ? InferenceSession.create(model, settings)
        : InferenceSession.create(model, settings));
    } catch (error) {
      failures.push(`${provider}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`onnxruntime cannot load the model (${failures.join("; ")})`);
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
  let session = cache.get(key);
  if (session === undefined) {
    session = createSession(path, options).catch((cause: unknown) => {
      cache.delete(key);
      throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    });
  }
  cache.delete(key);
  cache.set(key, session);
  for (const [oldest, old] of cache) {
    if (cache.size <= cacheSize) break;
    cache.delete(oldest);
    void old.then((unused) => unused.release());
  }
  return session;
}
