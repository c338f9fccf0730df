/**
 * Tests lq on a real GPU: compares the devices with CUDA's, and checks what tasks see of them. Needs `nvidia-smi`,
 * CUDA's driver and Python (to resume, also PyTorch). Skipped elsewhere; test/schedule has a scripted driver.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { discoverDevices } from "../../src/schedule/devices.ts";
import { askDriver } from "../../src/schedule/nvidia-smi.ts";
import { canBeOthers, cliProject, type CliProject, type Ended } from "../helpers/cli.ts";

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const cuda = `python3 '${script("cuda.py")}'`;
const { devices: listed } = await askDriver();
const hasCuda = listed.length > 0 && spawnSync("python3", [script("cuda.py"), "devices"]).status === 0;
const hasTorch = hasCuda && spawnSync("python3", ["-c", "import torch; torch.zeros(1).cuda()"]).status === 0;
const gpu = listed[0]!;
/** Memory of the first device in GiB. */
const size = (gpu?.memory ?? 0) / 2 ** 30;

/** UUIDs of the devices that CUDA shows to a process with this mask. */
function visible(mask: string | undefined): unknown {
  const env = { ...process.env, CUDA_DEVICE_ORDER: "PCI_BUS_ID", CUDA_VISIBLE_DEVICES: mask };
  return JSON.parse(execFileSync("python3", [script("cuda.py"), "devices"], { env, encoding: "utf8" }));
}

/** A project with these rules (YAML in flow style); the number of cores does not limit its GPU tasks. */
function project(rules: Readonly<Record<string, string>>, user?: number): CliProject {
  const lines = Object.entries(rules).map(([name, rule]) => `  ${name}: ${rule}\n`);
  return cliProject({ "pipeline.yaml": `version: 1\nrules:\n${lines.join("")}` }, user);
}

/** A rule that takes so many GiB of a device's memory and keeps it until the file GO exists. */
function holding(name: string, gib: number, slots: string, go = "go"): string {
  return `{ cmd: "${cuda} hold ${gib} up-${name} ${go} && mv up-${name} \${out}", out: ${name}.txt, slots: { cpu: 0, gpu: ${slots} } }`;
}

const ok = ({ code, stdout, stderr }: Ended): void => expect(code, stdout + stderr).toBe(0);

describe.skipIf(!hasCuda)("a real GPU", () => {
  beforeEach(() => {
    vi.stubEnv("XDG_CONFIG_HOME", "/nonexistent");
    vi.stubEnv("CUDA_VISIBLE_DEVICES", gpu.uuid);
  });

  it.each([
    ["none", undefined],
    ["an empty one", ""],
    ["-1", "-1"],
    ["an index", "0"],
    ["an index with a zero before it", "00"],
    ["blanks", " 0 , 1 "],
    ["a UUID", gpu?.uuid],
    ["the beginning of a UUID", gpu?.uuid.slice(0, 10)],
    ["a UUID in capitals", gpu?.uuid.toUpperCase()],
    ["a UUID in small letters", gpu?.uuid.toLowerCase()],
    ["an index that is not there", "7000"],
    ["such an index after one that is", "0,7000"],
    ["such an index before one that is", "7000,0"],
    ["words", "0,none"],
    ["an index and a UUID", `0,${gpu?.uuid}`],
    ["a wrong UUID", "GPU-00000000-0000-0000-0000-000000000000"],
    ["a UUID and a wrong one", `${gpu?.uuid},GPU-00000000`],
    ["a number with a tail", "0x"],
    ["a sign", "+0"],
    ["two numbers without a comma", "0 1"],
    ["hexadecimal digits", "0x0"],
    ["a sign apart", "+ 0"],
    ["a comma before", ",0"],
    ["a comma after", "0,"],
  ])("is found behind a mask as CUDA finds it: %s", async (_, mask) => {
    const { devices } = await discoverDevices({ env: { CUDA_VISIBLE_DEVICES: mask } });
    expect(devices.map(({ uuid }) => uuid)).toEqual(visible(mask));
  });

  it("is found once if the mask names it twice, although CUDA refuses such a mask", async () => {
    const mask = `0,${gpu.uuid},0`;
    const { devices } = await discoverDevices({ env: { CUDA_VISIBLE_DEVICES: mask } });
    expect(devices.map(({ uuid }) => uuid)).toEqual([gpu.uuid]);
    expect(() => visible("0,0")).toThrow("CUDA_ERROR_INVALID_DEVICE");
  });

  it("is visible only to the tasks that hold it", async () => {
    const see = (slots: string, out: string): string =>
      `{ cmd: "${cuda} devices > \${out}", out: ${out}, slots: ${slots} }`;
    const tasks = project({
      whole: see("{ gpu: 1 }", "whole.json"),
      share: see("{ gpu: { memory: 1GiB } }", "share.json"),
      typed: see(`{ gpu: { type: ${gpu.type?.split(" ")[1] ?? ""}, count: 1 } }`, "typed.json"),
      optional: see("{ gpu: optional }", "optional.json"),
      none: see("{ cpu: 1 }", "none.json"),
    });
    ok(await tasks.lq("build"));
    const seen = ["whole", "share", "typed", "optional", "none"].map((name) =>
      tasks.read(`${name}.json`).trim(),
    );
    const one = JSON.stringify([gpu.uuid]);
    expect(seen).toEqual([one, one, one, one, "[]"]);
  });

  it("is shared by tasks as long as their memory fits", async () => {
    const gib = Math.floor(size * 0.4);
    const share = `{ memory: ${gib}GiB }`;
    const tasks = project({
      a: holding("a", gib - 1, share),
      b: holding("b", gib - 1, share),
      c: holding("c", gib - 1, share),
    });
    const build = tasks.start("build", "--json");
    const started: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { task } = JSON.parse((await build.line('"start"')).at(-1) ?? "") as { readonly task: string };
      started.push(task);
    }
    await Promise.all(started.map((task) => tasks.appears(`up-${task}`)));
    expect(["a", "b", "c"].filter((task) => tasks.has(`up-${task}`))).toEqual(started.sort());
    tasks.write("go", "");
    ok(await build.ended);
    // Two tasks used the device at once: one of them found the other's memory taken.
    const free = ["a", "b", "c"].map((name) => Number(tasks.read(`${name}.txt`))).sort((x, y) => x - y);
    expect(free[0]).toBeLessThan(size - gib + 1);
  });

  it("is given whole to a task for which its part was too small", async () => {
    const tasks = project({
      modest: holding("modest", size * 0.3, `{ memory: ${Math.floor(size * 0.4)}GiB }`),
      greedy: holding("greedy", size * 0.8, "{ memory: 1GiB }").replace(
        '{ cmd: "',
        '{ oom: OUT_OF_MEMORY, cmd: "until [ -s up-modest ] || [ -e go ]; do sleep 0.02; done; ',
      ),
    });
    const build = tasks.start("build", "--json");
    await tasks.appears("up-modest");
    const lines = await build.line('"type":"retry"');
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ task: "greedy", wholeDevice: true });
    expect(tasks.has("modest.txt")).toBe(false);
    tasks.write("go", "");
    ok(await build.ended);
    expect((await tasks.lq("log", "greedy")).stdout).toContain("cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2)");
  });

  // As root, the test also does this as another user.
  it("is empty when another build gets it from a killed one", async () => {
    const next = canBeOthers() ? 4711 : undefined;
    for (let round = 0; round < 5; round++) {
      const killed = project({ big: holding("big", size * 0.7, "1") });
      const other = project({ big: holding("big", size * 0.7, "1", "pipeline.yaml") }, next);
      const holder = killed.start("build", "--json");
      await killed.appears("up-big");
      const waiter = other.start("build", "--json");
      await waiter.line("is held by process");
      holder.kill("SIGKILL");
      ok(await waiter.ended);
      expect(Number(other.read("big.txt"))).toBeGreaterThan(size * 0.9);
    }
  });

  it("is not used while other programs use it, if configured so", async () => {
    const settings = cliProject({ "lq/config.yaml": "gpu: { busy: 2GiB }\n" });
    vi.stubEnv("XDG_CONFIG_HOME", settings.root);
    const words = [script("cuda.py"), "hold", "8", settings.path("up"), settings.path("go")];
    const outsider = spawn("python3", words, { stdio: "inherit" });
    await settings.appears("up");
    const tasks = project({ train: holding("train", 1, "1", "pipeline.yaml") });
    const build = tasks.start("build", "--json");
    const told = (await build.line('"waiting"')).at(-1);
    expect(told).toMatch(/GPU \S+ is left alone, because others use (8|9)(\.\d)? GiB of its memory/);
    const ended = new Promise((resolve) => outsider.once("close", resolve));
    settings.write("go", "");
    await ended;
    ok(await build.ended);
  });

  it.skipIf(!hasTorch)("trains to the same bytes whether or not lq is killed meanwhile", async () => {
    const rule = `{ resume: true, grace: 1s, cmd: "python3 '${script("train.py")}' \${scratch} \${out}", out: net.bin, slots: { gpu: 1 } }`;
    const [whole, cut] = [project({ train: rule }), project({ train: rule })];
    ok(await whole.lq("build"));
    for (const [signal, code] of [
      ["SIGKILL", null],
      ["SIGTERM", 143],
      ["SIGUSR1", 138],
    ] as const) {
      const build = cut.start("build", "--json");
      // The device was free: no process of the build before is left that could write.
      await build.line('"start"');
      if (cut.has("epochs")) cut.remove("epochs");
      await cut.appears("epochs");
      build.kill(signal);
      expect((await build.ended).code).toBe(code);
      expect(cut.has("net.bin")).toBe(false);
    }
    ok(await cut.lq("build"));
    expect(readFileSync(cut.path("net.bin"))).toEqual(readFileSync(whole.path("net.bin")));
    // The last build did not start again from the first epoch.
    expect(Number.parseInt(cut.read("epochs"))).toBeGreaterThan(0);
    expect(cut.read("epochs").trimEnd()).toMatch(/ on cuda:0$/);
  });
});
