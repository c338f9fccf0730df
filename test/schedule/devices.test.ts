import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { discoverDevices } from "../../src/schedule/devices.ts";
import { askDriver } from "../../src/schedule/nvidia-smi.ts";
import { fakeDriver, fakeDriverScript } from "../helpers/nvidia-smi.ts";

const GiB = 2 ** 30;

beforeEach(() =>
  fakeDriver([
    "0, GPU-aaaa-1111, 81920, 10, Disabled, NVIDIA H100 80GB HBM3",
    "1, GPU-bbbb-2222, 24576, 0, [N/A], NVIDIA L4",
  ]),
);

const H100 = "NVIDIA H100 80GB HBM3";
const h100 = { id: "0", uuid: "GPU-aaaa-1111", memory: 80 * GiB, type: H100, group: H100 };
const l4 = { id: "1", uuid: "GPU-bbbb-2222", memory: 24 * GiB, type: "NVIDIA L4", group: "NVIDIA L4" };

async function devices(request: Partial<Parameters<typeof discoverDevices>[0]> = {}) {
  return (await discoverDevices({ env: {}, ...request })).devices;
}
const masked = (mask: string) => devices({ env: { CUDA_VISIBLE_DEVICES: mask } });
const pretend = (count: number) => ({ count, type: null, memory: null });

describe("devices", () => {
  it("are those that the driver lists", async () => {
    expect(await devices()).toEqual([h100, l4]);
  });

  it("are at most those that CUDA_VISIBLE_DEVICES names, in its order", async () => {
    expect(await masked("1")).toEqual([l4]);
    expect(await masked("GPU-bbbb,0")).toEqual([{ ...l4, id: "GPU-bbbb" }, h100]);
    expect(await masked("GPU-BBBB")).toEqual([{ ...l4, id: "GPU-BBBB" }]);
    for (const mask of ["01", "+1", "1x", " 1 "]) expect(await masked(mask)).toEqual([l4]);
  });

  it.each(["", "-1", "NoDevFiles", "2", "GPU-cccc", "GPU-"])("are none if the mask is %j", async (mask) => {
    expect(await masked(mask)).toEqual([]);
  });

  it.each(["1,-1,0", "1,7,0", "1,GPU-cccc,0", "1,x"])("end in the mask %s where CUDA stops", async (mask) => {
    expect(await masked(mask)).toEqual([l4]);
  });

  it.each(["1,1", "1,GPU-bbbb", "GPU-bbbb,GPU-bbbb-2222"])("count once in the mask %s", async (mask) => {
    expect((await masked(mask)).map(({ uuid }) => uuid)).toEqual(["GPU-bbbb-2222"]);
  });

  it("are those of the mask if no driver answers", async () => {
    vi.stubEnv("PATH", "/nonexistent");
    const unknown = { memory: null, type: null };
    expect(await masked("3,MIG-7")).toEqual([
      { id: "3", uuid: "3", group: "", ...unknown },
      { id: "MIG-7", uuid: "MIG-7", group: "MIG-7", ...unknown },
    ]);
  });

  it("are none in a Slurm job without CUDA_VISIBLE_DEVICES", async () => {
    expect(await discoverDevices({ env: { SLURM_JOB_ID: "7" } })).toEqual({
      devices: [],
      trouble: "this Slurm job was given none: CUDA_VISIBLE_DEVICES is not set",
    });
    expect(await devices({ env: { SLURM_JOB_ID: "7", CUDA_VISIBLE_DEVICES: "1" } })).toEqual([l4]);
    const beyond = devices({ env: { SLURM_JOB_ID: "7" }, pretended: pretend(1) });
    await expect(beyond).rejects.toThrow("this Slurm job was given none");
  });

  it("can be pretended, but not beyond the mask", async () => {
    expect((await devices({ pretended: pretend(3) })).map(({ id, uuid }) => [id, uuid])).toEqual([
      ["0", "GPU-aaaa-1111"],
      ["1", "GPU-bbbb-2222"],
      ["2", "2"],
    ]);
    const env = { CUDA_VISIBLE_DEVICES: "1,0" };
    expect(await devices({ env, pretended: pretend(1) })).toEqual([l4]);
    await expect(devices({ env, pretended: pretend(3) })).rejects.toThrow("does not go beyond it");
    const ends = { CUDA_VISIBLE_DEVICES: "1,7,0" };
    await expect(devices({ env: ends, pretended: pretend(2) })).rejects.toThrow("allows 1,");
    const [described] = await devices({ pretended: { count: 1, type: "B200", memory: 180 * GiB } });
    expect(described).toMatchObject({ type: "B200", memory: 180 * GiB });
  });

  it("are grouped by type, or as declared by index or UUID", async () => {
    const groups = [["0", "GPU-bbbb-2222"]];
    expect((await devices({ groups })).map(({ group }) => group)).toEqual(["group 0", "group 0"]);
  });
});

describe("nvidia-smi", () => {
  it("lists the MIG instances of a divided GPU, each of which is a device and a group", async () => {
    fakeDriverScript(`
if [ "$1" = -L ]; then
  echo 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)'
  echo '  MIG 3g.20gb     Device  0: (UUID: MIG-1111)'
  echo '  MIG 1c.2g.10gb  Device  1: (UUID: MIG-2222)'
  echo 'GPU 1: NVIDIA L4 (UUID: GPU-bbbb)'
else
  echo '0, GPU-aaaa, 40960, [N/A], Enabled, NVIDIA A100-SXM4-40GB'
  echo '1, GPU-bbbb, [N/A], [N/A], [N/A], NVIDIA L4'
fi`);
    expect(await devices()).toEqual([
      {
        id: "MIG-1111",
        uuid: "MIG-1111",
        memory: 19 * GiB,
        type: "NVIDIA A100-SXM4-40GB MIG 3g.20gb",
        group: "MIG-1111",
      },
      {
        id: "MIG-2222",
        uuid: "MIG-2222",
        memory: 9.5 * GiB,
        type: "NVIDIA A100-SXM4-40GB MIG 1c.2g.10gb",
        group: "MIG-2222",
      },
      { ...l4, uuid: "GPU-bbbb", memory: null },
    ]);
    // CUDA uses the first instance if the mask names the GPU.
    const uuids = async (mask: string) => (await masked(mask)).map(({ uuid }) => uuid);
    expect(await uuids("0")).toEqual(["MIG-1111"]);
    expect(await uuids("GPU-aaaa,MIG-1111,MIG-2222")).toEqual(["MIG-1111", "MIG-2222"]);
    expect(await uuids("MIG-GPU-aaaa/1/0,MIG-9999")).toEqual(["MIG-GPU-aaaa/1/0"]);
  });

  it("gives no device and a reason if it fails, is not there or does not answer", async () => {
    fakeDriverScript("echo NVIDIA-SMI has failed because it could not talk to the driver; exit 9");
    expect(await askDriver()).toEqual({
      devices: [],
      trouble:
        "nvidia-smi failed (exit code 9): NVIDIA-SMI has failed because it could not talk to the driver",
    });
    fakeDriverScript("printf '\\033[2J\\001\\000bad'; exit 3");
    expect((await askDriver()).trouble).toBe("nvidia-smi failed (exit code 3): [2J bad");
    // Its child keeps the pipe open after it is killed.
    const driver = fakeDriverScript('sleep 1000 & echo $! > "$0.pid"; wait');
    expect(await askDriver(500)).toEqual({
      devices: [],
      trouble: "nvidia-smi did not answer within 0.5 s",
    });
    process.kill(Number(readFileSync(`${driver}.pid`, "utf8")), "SIGKILL");
    vi.stubEnv("PATH", "/nonexistent");
    expect(await askDriver()).toEqual({ devices: [], trouble: "there is no nvidia-smi" });
  });

  it("gives a reason if it lists nothing", async () => {
    fakeDriver(["No devices were found"]);
    expect(await discoverDevices({ env: {} })).toEqual({
      devices: [],
      trouble: "nvidia-smi lists none: No devices were found",
    });
  });

  it("gives no device that does not exist, whatever it prints", async () => {
    for (const line of [
      "",
      "No devices were found",
      "0, GPU-a",
      "x, y, z",
      ",,,,,",
      "0,[Unknown Error],1,2,3,4",
    ]) {
      fakeDriver([line]);
      expect((await askDriver()).devices.every(({ uuid }) => uuid === "GPU-a")).toBe(true);
    }
  });
});
