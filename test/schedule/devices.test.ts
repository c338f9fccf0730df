import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { discoverDevices } from "../../src/schedule/devices.ts";

const GiB = 2 ** 30;
let folder: string;

/** A driver on PATH that lists two devices, and leaves a mark when it is asked. */
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lq-smi-"));
  const script = `#!/bin/sh
echo "0, GPU-aaaa-1111, 81920, NVIDIA H100 80GB HBM3"
echo "1, GPU-bbbb-2222, 24576, NVIDIA L4"
`;
  writeFileSync(path.join(folder, "nvidia-smi"), script, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const h100 = { id: "0", memory: 80 * GiB, type: "NVIDIA H100 80GB HBM3" };
const l4 = { id: "1", memory: 24 * GiB, type: "NVIDIA L4" };

describe("devices", () => {
  it("are those the driver lists", async () => {
    expect(await discoverDevices({}, null)).toEqual([h100, l4]);
  });

  it("are none without a driver, or with one that fails", async () => {
    writeFileSync(path.join(folder, "nvidia-smi"), "#!/bin/sh\necho NVIDIA-SMI has failed; exit 9\n");
    expect(await discoverDevices({}, null)).toEqual([]);
    vi.stubEnv("PATH", "/nonexistent");
    expect(await discoverDevices({}, null)).toEqual([]);
  });

  it("are at most those an outer mask names, in its order", async () => {
    expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: "1" }, null)).toEqual([l4]);
    expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: "GPU-bbbb,0" }, null)).toEqual([
      { ...l4, id: "GPU-bbbb" },
      h100,
    ]);
    expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: "MIG-7/1/0" }, null)).toEqual([
      { id: "MIG-7/1/0", memory: null, type: null },
    ]);
    for (const none of ["", "-1", "NoDevFiles"]) {
      expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: none }, null)).toEqual([]);
    }
    expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: "1,-1,0" }, null)).toEqual([l4]);
  });

  it("can be pretended, but not beyond the mask", async () => {
    expect((await discoverDevices({}, 3)).map(({ id }) => id)).toEqual(["0", "1", "2"]);
    expect(await discoverDevices({ CUDA_VISIBLE_DEVICES: "1,0" }, 1)).toEqual([l4]);
    await expect(discoverDevices({ CUDA_VISIBLE_DEVICES: "1" }, 2)).rejects.toThrow("does not go beyond it");
  });
});
