/**
 * Which GPUs this build may use: those an outer CUDA_VISIBLE_DEVICES names (a batch system's mask is never
 * widened), else those the driver lists, else none.
 */
import { execa } from "execa";
import { UserError } from "../errors.ts";

export interface Device {
  /** As CUDA_VISIBLE_DEVICES takes it: an index in PCI bus order, a GPU UUID or a MIG UUID. */
  readonly id: string;
  /** Bytes; null when nobody said. */
  readonly memory: number | null;
  /** "NVIDIA H100 80GB HBM3"; null when nobody said. */
  readonly type: string | null;
}

interface Listed extends Device {
  readonly uuid: string;
}

/**
 * @param pretended the N of `--slots gpu=N`: that many devices, the first of the mask if there is one.
 * @throws UserError when more are pretended than an outer mask allows.
 */
export async function discoverDevices(
  env: { readonly [name: string]: string | undefined },
  pretended: number | null,
): Promise<readonly Device[]> {
  const mask = readMask(env["CUDA_VISIBLE_DEVICES"]);
  if (mask !== null && pretended !== null && pretended > mask.length) {
    throw new UserError(
      `--slots gpu=${pretended}: CUDA_VISIBLE_DEVICES allows ${mask.length}, and lq does not go beyond it`,
    );
  }
  if (mask === null && pretended !== null) {
    return Array.from({ length: pretended }, (_, index) => ({ id: String(index), memory: null, type: null }));
  }
  if (mask?.length === 0) return [];
  const listed = await askDriver();
  if (mask === null) return listed.map(({ id, memory, type }) => ({ id, memory, type }));
  return mask.slice(0, pretended ?? mask.length).map((id) => describe(id, listed));
}

/** The ids of a mask; as in CUDA, an entry that is no device ends it. Null: there is no mask. */
function readMask(value: string | undefined): readonly string[] | null {
  if (value === undefined) return null;
  const ids = value.split(",").map((id) => id.trim());
  const end = ids.findIndex((id) => !/^(\d+|GPU-.+|MIG-.+)$/.test(id));
  return [...new Set(end === -1 ? ids : ids.slice(0, end))];
}

function describe(id: string, listed: readonly Listed[]): Device {
  const known = listed.find(
    (device) => device.id === id || (id.startsWith("GPU-") && device.uuid.startsWith(id)),
  );
  return { id, memory: known?.memory ?? null, type: known?.type ?? null };
}

async function askDriver(): Promise<readonly Listed[]> {
  const { failed, stdout } = await execa(
    "nvidia-smi",
    ["--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits"],
    { reject: false, timeout: 10_000, killSignal: "SIGKILL", stdin: "ignore" },
  );
  if (failed) return [];
  return stdout.split("\n").flatMap((line) => {
    const [index, uuid, mebibytes, ...name] = line.split(",").map((field) => field.trim());
    if (index === undefined || uuid === undefined || !/^\d+$/.test(index)) return [];
    const memory = Number(mebibytes) * 2 ** 20;
    return [
      { id: index, uuid, memory: Number.isFinite(memory) ? memory : null, type: name.join(", ") || null },
    ];
  });
}
