/** Asks the NVIDIA driver, through `nvidia-smi`, which devices there are and how much of their memory is in use. */

export interface Listed {
  /** In PCI bus order; a MIG instance has the index of its GPU. */
  readonly index: string;
  readonly uuid: string;
  /** UUID of the GPU; for a MIG instance, of the GPU that is divided. */
  readonly gpu: string;
  /** Bytes; null if the driver does not say. */
  readonly memory: number | null;
  /** Bytes in use; null if the driver does not say. */
  readonly used: number | null;
  readonly type: string | null;
  readonly mig: boolean;
}

export interface Answer {
  readonly devices: readonly Listed[];
  /** Why lq knows no devices; null if the driver answered. */
  readonly trouble: string | null;
}

/** The trouble of a machine without a GPU. Behind any other trouble there may be GPUs. */
export const NO_DRIVER = "there is no nvidia-smi";

const LIMIT_MS = 10_000;
const MiB = 2 ** 20;

/**
 * The devices of this machine. A divided GPU is replaced by its MIG instances. Never throws.
 *
 * @param limit milliseconds for each call of `nvidia-smi`: a broken driver may never answer
 */
export async function askDriver(limit = LIMIT_MS): Promise<Answer> {
  const fields = "index,uuid,memory.total,memory.used,mig.mode.current,name";
  const answer = await ask([`--query-gpu=${fields}`, "--format=csv,noheader,nounits"], limit);
  if (typeof answer !== "string") return { devices: [], ...answer };
  const gpus = answer.split("\n").flatMap(parseGpu);
  if (gpus.length === 0) return { devices: [], trouble: `nvidia-smi lists none: ${firstLine(answer)}` };
  if (!gpus.some(({ divided }) => divided)) return { devices: gpus, trouble: null };
  const list = await ask(["-L"], limit);
  if (typeof list !== "string") return { devices: [], ...list };
  const instances = parseInstances(list);
  return {
    devices: gpus.flatMap((gpu) =>
      gpu.divided ? instances.filter(({ index }) => index === gpu.index) : [gpu],
    ),
    trouble: null,
  };
}

async function ask(words: readonly string[], limit: number): Promise<string | { readonly trouble: string }> {
  // Load it only here: most builds use no device.
  const { execa } = await import("execa");
  const child = execa("nvidia-smi", words, {
    reject: false,
    timeout: limit,
    killSignal: "SIGKILL",
    stdin: "ignore",
    maxBuffer: MiB,
  });
  let timer: NodeJS.Timeout | undefined;
  // SIGKILL ends neither a process that waits inside the driver, nor its children. So do not wait for their end.
  const silence = new Promise<"silence">((resolve) => (timer = setTimeout(resolve, limit * 1.1, "silence")));
  const result = await Promise.race([child, silence]);
  clearTimeout(timer);
  if (result === "silence" || result.timedOut) {
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
    return { trouble: `nvidia-smi did not answer within ${limit / 1000} s` };
  }
  if (result.code === "ENOENT") return { trouble: NO_DRIVER };
  if (!result.failed) return result.stdout;
  const line = firstLine(`${result.stdout}\n${result.stderr}`);
  return { trouble: `nvidia-smi failed (exit code ${result.exitCode ?? "none"}): ${line}` };
}

/** The first line of a text, short and without control characters. */
function firstLine(text: string): string {
  const [line = ""] = text.trim().split("\n");
  return line
    .slice(0, 200)
    .replace(/\p{Cc}+/gu, " ")
    .trim();
}

/** Reads "0, GPU-…, 81559, 3, Disabled, NVIDIA H100 80GB HBM3". An unknown value is in brackets, as in "[N/A]". */
function parseGpu(line: string): readonly (Listed & { readonly divided: boolean })[] {
  const [index = "", uuid = "", memory, used, mig, ...name] = line.split(",").map((field) => field.trim());
  if (!/^\d+$/.test(index) || !uuid.startsWith("GPU-")) return [];
  const type = name.join(", ");
  const known = {
    index,
    uuid,
    gpu: uuid,
    memory: mebibytes(memory),
    used: mebibytes(used),
    type: type || null,
  };
  return [{ ...known, mig: false, divided: mig === "Enabled" }];
}

/**
 * Reads the instances below each GPU from `nvidia-smi -L`:
 *
 *     GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-…)
 *       MIG 3g.20gb     Device  0: (UUID: MIG-…)
 */
function parseInstances(text: string): readonly Listed[] {
  const instances: Listed[] = [];
  let gpu = { index: "", type: "", uuid: "" };
  for (const line of text.split("\n")) {
    const [, index, type = "", whole = ""] = /^GPU (\d+): (.*) \(UUID: ([^)]*)/.exec(line) ?? [];
    if (index !== undefined) gpu = { index, type, uuid: whole };
    const [, profile = "", uuid] = /^\s+MIG (\S+)\s.*\(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (uuid === undefined) continue;
    const gigabytes = /\.(\d+)gb/.exec(profile)?.[1];
    // Take 5 % off, because the number in the profile is rounded up: an instance "20gb" of an A100 has 19.5 GiB.
    const memory = gigabytes === undefined ? null : Math.floor(Number(gigabytes) * 0.95 * 2 ** 30);
    const described = `${gpu.type} MIG ${profile}`;
    instances.push({ index: gpu.index, uuid, gpu: gpu.uuid, memory, used: null, type: described, mig: true });
  }
  return instances;
}

function mebibytes(text: string | undefined): number | null {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * MiB) : null;
}
