/** What a network runs on: onnxruntime, or PyTorch in a process of its own. */
import type { Platform, PyTorch } from "./pytorch/process.ts";
import type { SessionOptions } from "./session.ts";

/** On torch, `device: auto` takes the task's GPU if it has one. */
export interface Backend extends Omit<SessionOptions, "training"> {
  /** Default onnx. `auto` takes torch if the task holds a device and PyTorch sees it, else onnx. */
  readonly backend?: "onnx" | "torch" | "auto" | undefined;
  /** On torch: float32 (default, deterministic); float32 with TF32 products; bfloat16 in the forward pass. */
  readonly precision?: "fp32" | "tf32" | "amp" | undefined;
  /** The version that PyTorch must have, or its beginning: "2.4" is any 2.4.x. */
  readonly torch?: string | undefined;
}

/**
 * The process that runs PyTorch, or null for onnxruntime. Throws an Error if torch was asked for and is not there, has
 * another version, or does not see the device.
 */
export async function chooseBackend(options: Backend): Promise<PyTorch | null> {
  const { backend = "onnx", device = "cpu", devices = [], log } = options;
  const wantsDevice = device !== "cpu" && devices.length > 0;
  if (backend === "onnx" || (backend === "auto" && (!wantsDevice || device === "webgpu"))) return null;
  if (device === "webgpu") throw new Error("backend: torch has no device: webgpu; take device: auto");
  try {
    const { pyTorch } = await import("./pytorch/process.ts");
    const worker = await pyTorch(wantsDevice);
    const { platform } = worker;
    if (options.torch !== undefined) requireVersion(platform.torch, options.torch);
    const why = whyCpu(platform, options);
    if (why !== null && (device === "cuda" || backend === "auto")) throw new Error(why);
    log?.(`PyTorch ${platform.torch} on ${platform.name}${why === null ? "" : `: ${why}`}`);
    return worker;
  } catch (error) {
    if (backend === "torch") throw error;
    log?.(`onnxruntime and not PyTorch: ${(error as Error).message}`);
    return null;
  }
}

function whyCpu({ device, why }: Platform, { devices = [], ...options }: Backend): string | null {
  if (device !== "cpu") return null;
  if ((options.device ?? "cpu") === "cpu") return "device: cpu";
  return devices.length === 0 ? "the task holds no GPU" : `PyTorch does not use the task's GPU: ${why}`;
}

function requireVersion(found: string, wanted: string): void {
  if (found.startsWith(wanted) && !/^\d/.test(found.slice(wanted.length))) return;
  throw new Error(
    `PyTorch has version ${found}, and the params say torch: "${wanted}"; with torch: "${found}" results are made anew`,
  );
}
