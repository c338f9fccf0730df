/** Devices that several lq processes share. Real builds in several projects, with a fake driver and no GPU. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { claim, listClaims } from "../../src/schedule/claims.ts";
import type { SlotRequest } from "../../src/model/model.ts";
import { Leases, type Waiting } from "../../src/schedule/leases.ts";
import { Slots } from "../../src/schedule/slots.ts";
import { isStopped } from "../../src/system/process-stat.ts";
import { DriverUsage } from "../../src/schedule/usage.ts";
import { isAlive } from "../helpers/alive.ts";
import { canBeOthers, cliProject, type CliProject, type Lq } from "../helpers/cli.ts";
import { fakeDriver, fakeDriverScript } from "../helpers/nvidia-smi.ts";
import { seeded } from "./random.ts";

const GiB = 2 ** 30;

/** UUIDs of two devices that no other test and no build on this machine uses. */
const [first, second] = [`GPU-${randomUUID()}`, `GPU-${randomUUID()}`];
const DEVICES = [first, second].map((uuid, i) => {
  return { id: String(i), uuid, memory: 80 * GiB, type: "H100", group: "H100" };
});

/** Slots on the two devices. */
const slotsWith = (leases: Leases) =>
  new Slots({ cpu: 9, cores: 9, memory: 0, devices: DEVICES, trouble: null, pools: new Map() }, leases);

/** @param memory bytes on each device; null: whole devices */
function gpus(count: number, memory: number | null = null): SlotRequest {
  const gpu = { count, optional: false, memory, whole: memory === null, type: null };
  return { cpu: 0, memory: 0, gpu, pools: new Map() };
}

const line = (index: number, uuid: string, used = 0) =>
  `${index}, ${uuid}, 81920, ${used}, Disabled, NVIDIA H100`;

beforeEach(() => {
  fakeDriver([line(0, first), line(1, second)]);
  vi.stubEnv("XDG_CONFIG_HOME", "/nonexistent");
});

/** Processes that a test leaves running on purpose. */
const leftBehind = new Set<number>();
afterEach(() => {
  for (const pid of leftBehind) process.kill(pid, "SIGKILL");
  leftBehind.clear();
});

/** A project with `count` tasks t0, t1 … Each writes its devices to `at-tN`, and ends when the file `go` is there. */
function project(slots: string, count = 1): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
axes: { n: [${Array.from({ length: count }, (_, i) => `t${i}`).join(", ")}] }
default: [train]
rules:
  train:
    each: { n: n }
    cmd: 'echo $$ > pid-\${n}; echo "$CUDA_DEVICE_ORDER $CUDA_VISIBLE_DEVICES" > at-\${n}; until [ -e go ]; do sleep 0.05; done; cp at-\${n} \${out}'
    out: "\${n}.txt"
    slots: { cpu: 0, gpu: ${slots} }
`,
  });
}

/**
 * A project with a task in a worker, which writes its process id to `pid-t0`, and a task without a device behind it.
 * @param then code that the first task runs
 */
function moduleProject(then: string): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
rules:
  train: { run: train.ts, out: model.txt, slots: { cpu: 0, gpu: 1 } }
  table: { cmd: "until [ -e go ]; do sleep 0.05; done; cp \${in} \${out}", in: model.txt, out: table.txt, slots: { cpu: 0 } }
`,
    "train.ts": `import { existsSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ output }) {
    const until = (done: () => boolean) => {
      while (!done()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    };
    writeFileSync("pid-t0", String(process.pid));
    ${then};
    writeFileSync(output(), String(process.env["CUDA_VISIBLE_DEVICES"]));
  },
});
`,
  });
}

const here = ["build", "--json"];

/** Two builds: `holder`, in project `one`, has device 1; `waiter`, in project `other`, waits for it. */
async function holderAndWaiter() {
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "1");
  const [one, other] = [project("1"), project("1")];
  const holder = one.start(...here);
  await one.appears("at-t0");
  const waiter = other.start(...here);
  await waiter.line('"waiting"');
  return { one, other, holder, waiter };
}

/** Kills lq and its watchdog, which would end the tasks. */
function killAtOnce(lq: number): void {
  process.kill(lq, "SIGSTOP");
  const children = readFileSync(`/proc/${lq}/task/${lq}/children`, "utf8").trim().split(" ").map(Number);
  const watchdogs = children.filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("lq-watchdog"),
  );
  expect(watchdogs).toHaveLength(1);
  for (const pid of [...watchdogs, lq]) process.kill(pid, "SIGKILL");
}

/**
 * Kills a build on device 1 but not its task, and checks that another build gets the device when the task has ended.
 * @param task process id of the task; negative: its process group
 */
async function outlivedBy(task: number, holder: Lq): Promise<void> {
  leftBehind.add(task);
  killAtOnce(holder.pid);
  await holder.ended;
  const other = project("1");
  const waiter = other.start(...here);
  await waiter.line("GPU 1 is held by a task that process");
  process.kill(task, "SIGKILL");
  leftBehind.delete(task);
  expect(await other.appears("at-t0")).toBe("PCI_BUS_ID 1");
  other.write("go", "");
  await finished(waiter);
}

/** Waits for the end of a build, which must succeed. */
async function finished(lq: Lq): Promise<void> {
  const { code, stdout, stderr } = await lq.ended;
  expect(code, stdout + stderr).toBe(0);
}

/** Claims on the two devices. */
const mine = () => listClaims().filter(({ device }) => device === first || device === second);

describe("two builds on one machine", () => {
  it("never use one device at once: the second waits, names the holder, and goes on at once", async () => {
    const [one, other] = [project("2"), project("1")];
    const holder = one.start(...here);
    expect(await one.appears("at-t0")).toBe("PCI_BUS_ID 0,1");
    const waiter = other.start(...here);
    const reason = (await waiter.line('"waiting"')).at(-1) ?? "";
    expect(reason).toMatch(/"for":\["GPU 0 is held by process \d+ \(.+\)","GPU 1 is held by process \d+/);
    expect(other.has("at-t0")).toBe(false);
    one.write("go", "");
    expect(await other.appears("at-t0")).toBe("PCI_BUS_ID 0");
    await waiter.line('{"type":"waiting","for":[]}');
    other.write("go", "");
    await finished(holder);
    await finished(waiter);
    expect(mine()).toEqual([]);
  });

  it("use different devices at the same time", async () => {
    const [one, other] = [project("1"), project("1")];
    const builds = [one, other].map((each) => each.start(...here));
    const devices = await Promise.all([one, other].map((each) => each.appears("at-t0")));
    expect(devices.toSorted()).toEqual(["PCI_BUS_ID 0", "PCI_BUS_ID 1"]);
    for (const each of [one, other]) each.write("go", "");
    await Promise.all(builds.map(finished));
  });

  it("look for another device when the other build was faster", async () => {
    const request = gpus(1);
    const [faster, slower] = [new Leases(), new Leases()];
    const slots = slotsWith(slower);
    const now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now);
    // The slower build has found both devices free, and does not look again before it takes one.
    for (const device of DEVICES) expect(slower.leaves(device, null, request)).toBe(true);
    expect(slotsWith(faster).take(request)?.devices[0]?.device.id).toBe("0");
    expect(slots.take(request)).toBeNull();
    const waiting = await new Promise<Waiting | null>((wake) => {
      const rested = slots.rest(() => wake(rested));
    });
    waiting?.end();
    expect(slots.take(request)?.devices[0]?.device.id).toBe("1");
    for (const leases of [faster, slower]) leases.close();
    vi.restoreAllMocks();
  });

  it("share a device when both ask for a share and the memory fits", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "0");
    const sharers = [project("{ memory: 30GiB }"), project("{ memory: 50GiB }")];
    const builds = sharers.map((each) => each.start(...here));
    for (const each of sharers) expect(await each.appears("at-t0")).toBe("PCI_BUS_ID 0");
    const third = project("{ memory: 1GiB }");
    const waiter = third.start(...here);
    await waiter.line("GPU 0 is held by");
    sharers[0]?.write("go", "");
    await third.appears("at-t0");
    for (const each of [...sharers, third]) each.write("go", "");
    await Promise.all([...builds, waiter].map(finished));
  });

  it("take turns on a device if both have more tasks", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "0");
    const [one, other] = [project("1", 2), project("1")];
    const holder = one.start(...here);
    await holder.line('"start"');
    const waiter = other.start(...here);
    await waiter.line("GPU 0 is held by");
    one.write("go", "");
    // The first build has another task for the device, and lets the second build go first.
    await holder.line("GPU 0 is held by");
    expect((await other.appears("at-t0")).length).toBeGreaterThan(0);
    other.write("go", "");
    await Promise.all([holder, waiter].map(finished));
  });

  it("do not wait for an idle worker of another build", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "0");
    const [one, other] = [moduleProject(""), project("1")];
    const holder = one.start(...here);
    await holder.line('"task":"train","outcome":"ran"');
    // The first build goes on, and would keep its worker for later tasks.
    const next = other.start(...here);
    expect(await other.appears("at-t0")).toBe("PCI_BUS_ID 0");
    expect(one.has("table.txt")).toBe(false);
    expect(isAlive(Number(one.read("pid-t0")))).toBe(false);
    one.write("go", "");
    other.write("go", "");
    await Promise.all([holder, next].map(finished));
    expect(one.read("table.txt")).toBe("0");
  });

  it("serve a request for all devices before later requests, whatever their clocks say", async () => {
    const [one, all, late] = [project("1"), project("2"), project("1")];
    const holder = one.start(...here);
    await one.appears("at-t0");
    const large = all.start(...here);
    await large.line("GPU 0 is held by");
    vi.stubEnv("NODE_OPTIONS", "--import=data:text/javascript,Date.now=()=>0");
    const small = late.start(...here);
    vi.stubEnv("NODE_OPTIONS", undefined);
    // Device 1 is free, but is kept for the build that needs both.
    await small.line("GPU 1 is next for process");
    one.write("go", "");
    expect(await all.appears("at-t0")).toBe("PCI_BUS_ID 0,1");
    expect(late.has("at-t0")).toBe(false);
    all.write("go", "");
    late.write("go", "");
    await Promise.all([holder, large, small].map(finished));
  });

  it("keep their devices while they are suspended, and then do not stop those that wait behind them", async () => {
    const [one, all, late, last] = [project("1"), project("2"), project("1"), project("2")];
    const holder = one.start(...here);
    expect(await one.appears("at-t0")).toBe("PCI_BUS_ID 0");
    const large = all.start(...here);
    await large.line("GPU 0 is held by");
    large.kill("SIGSTOP");
    await expect.poll(() => isStopped(large.pid), { interval: 10 }).toBe(true);
    // Device 1 would be kept for the build that needs both, if that were not suspended.
    const small = late.start(...here);
    expect(await late.appears("at-t0")).toBe("PCI_BUS_ID 1");
    holder.kill("SIGSTOP");
    await expect.poll(() => isStopped(holder.pid), { interval: 10 }).toBe(true);
    const waiter = last.start(...here);
    await waiter.line(`GPU 0 is held by process ${holder.pid} (${userInfo().username}), which is suspended`);
    for (const lq of [holder, large]) lq.kill("SIGCONT");
    for (const each of [one, all, late, last]) each.write("go", "");
    await Promise.all([holder, large, small, waiter].map(finished));
  });
});

describe("whole builds of two users", () => {
  /** A project of a user. When its tasks begin and end, they write to `book` how many GiB of each device they use. */
  function user(id: number, book: string): CliProject {
    const rule = (name: string, amount: number, gpu: string): string =>
      `  ${name}: { each: { n: n }, cmd: "for d in $\${CUDA_VISIBLE_DEVICES//,/ }; do echo $d ${amount} >> ${book}; done; ` +
      `for d in $\${CUDA_VISIBLE_DEVICES//,/ }; do echo $d -${amount} >> ${book}; done; touch \${out}", ` +
      `out: "${name}/\${n}", slots: { cpu: 0, gpu: ${gpu} } }\n`;
    const rules =
      rule("one", 80, "1") +
      rule("both", 80, "2") +
      rule("share", 30, "{ memory: 30GiB }") +
      rule("typed", 50, "{ count: 2, memory: 50GiB, type: h100 }");
    return cliProject({ "pipeline.yaml": `version: 1\naxes: { n: [a, b, c, d] }\nrules:\n${rules}` }, id);
  }

  // Skipped where the tests do not run as root.
  it.skipIf(!canBeOthers())("never use more than a device has, even after a holder was killed", async () => {
    const shared = cliProject({ book: "" });
    chmodSync(shared.root, 0o755);
    chmodSync(shared.path("book"), 0o666);
    const killed = project("2");
    const holder = killed.start(...here);
    await killed.appears("at-t0");
    const builds = [4711, 4712].map((id) => user(id, shared.path("book")).start(...here, "-j", "8"));
    for (const build of builds) await build.line("GPU 1 is held by");
    expect(shared.read("book")).toBe("");
    holder.kill("SIGKILL");
    await Promise.all(builds.map(finished));
    const used = new Map([
      ["0", 0],
      ["1", 0],
    ]);
    const lines = shared.read("book").trimEnd().split("\n");
    for (const [device = "", amount] of lines.map((each) => each.split(" "))) {
      used.set(device, (used.get(device) ?? NaN) + Number(amount));
      expect(used.get(device)).toBeLessThanOrEqual(80);
    }
    // Two users with four tasks for each rule. One task of each of the four rules uses six devices together. There are
    // two lines for each use of a device.
    expect([lines.length, ...used.values()]).toEqual([2 * 4 * 6 * 2, 0, 0]);
    expect(mine()).toEqual([]);
  });
});

describe("claims", () => {
  it("can be seen and waited for by every user", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can be somebody else");
    const own = claim({ device: first, kind: "hold", memory: null });
    const script = `require("net").connect("\\0" + process.argv[1]).on("connect", () => console.log("up"))
      .on("error", () => 0).on("close", () => console.log("gone"));
      console.log(require("fs").readFileSync("/proc/net/unix", "latin1").includes(process.argv[1]));`;
    const nobody = spawn(process.execPath, ["-e", script, own.name], { uid: 65534, cwd: "/" });
    const lines: string[] = [];
    for await (const line of createInterface(nobody.stdout)) {
      lines.push(line);
      if (line === "up") own.withdraw();
    }
    expect(lines).toEqual(["true", "up", "gone"]);
  });

  it("of many builds never exceed a device, and each build gets its turn (random)", async () => {
    const running = new Map<string, number[]>(DEVICES.map(({ uuid }) => [uuid, []]));
    const use = async (seed: number): Promise<void> => {
      const random = seeded(seed);
      const leases = new Leases();
      const slots = slotsWith(leases);
      for (let task = 0; task < 12; task++) {
        const share = random.below(3) === 0 ? null : (1 + random.below(50)) * GiB;
        const request = gpus(1 + random.below(2), share);
        let grant = slots.take(request);
        while (grant === null) {
          const waiting = await new Promise<Waiting | null>((resolve) => {
            const rested = slots.rest(() => resolve(rested));
            if (rested === null) resolve(null);
          });
          waiting?.end();
          grant = slots.take(request);
        }
        for (const { device, memory } of grant.devices) {
          const used = running.get(device.uuid)!;
          used.push(memory ?? 80 * GiB);
          expect(used.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(80 * GiB);
        }
        for (let turn = random.below(4); turn > 0; turn--) await new Promise(setImmediate);
        for (const { device, memory } of grant.devices) {
          const used = running.get(device.uuid)!;
          used.splice(used.indexOf(memory ?? 80 * GiB), 1);
        }
        slots.give(grant);
        if (random.below(2) === 0) slots.rest(() => undefined)?.end();
      }
      leases.close();
    };
    await Promise.all([1, 2, 3, 4, 5].map(use));
    expect(mine()).toEqual([]);
  });
});

describe("a build that is killed", () => {
  it("gives its devices back at once", async () => {
    const { other, holder, waiter } = await holderAndWaiter();
    holder.kill("SIGKILL");
    expect(await other.appears("at-t0")).toBe("PCI_BUS_ID 1");
    other.write("go", "");
    await finished(waiter);
  });

  it("leaves its devices to a task that still uses them", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "1");
    const one = project("1");
    const holder = one.start(...here);
    await outlivedBy(-Number(await one.appears("pid-t0")), holder);
  });

  it("leaves its devices to a worker whose event loop is blocked", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "1");
    const one = moduleProject("until(() => existsSync(`go`))");
    const holder = one.start(...here);
    await outlivedBy(Number(await one.appears("pid-t0")), holder);
  });

  it("leaves no claim if it was waiting", async () => {
    const { one, holder, waiter } = await holderAndWaiter();
    expect(mine().map(({ kind }) => kind)).toEqual(["hold", "wait"]);
    waiter.kill("SIGKILL");
    await waiter.ended;
    expect(mine().map(({ kind }) => kind)).toEqual(["hold"]);
    one.write("go", "");
    await finished(holder);
  });

  it("ends at once if it is interrupted while it waits", async () => {
    const { one, holder, waiter } = await holderAndWaiter();
    waiter.kill("SIGTERM");
    expect((await waiter.ended).code).toBe(143);
    one.write("go", "");
    await finished(holder);
  });
});

describe("devices that other people use", () => {
  it("are not used if the user's settings say so, and the build gives the reason", async () => {
    fakeDriver([line(0, first, 4000), line(1, second, 100)]);
    const settings = cliProject({ "lq/config.yaml": "gpu: { busy: 1GiB }\n" });
    vi.stubEnv("XDG_CONFIG_HOME", settings.root);
    const free = project("1");
    const both = project("2");
    const waiter = both.start(...here);
    const reason = "GPU 0 is left alone, because others use 3.9 GiB of its memory";
    expect((await waiter.line('"waiting"')).at(-1)).toContain(reason);
    // Nobody knows how long others use device 0, so the free device is not kept for this build.
    const build = free.start(...here);
    expect((await build.line('"notice"')).at(-1)).toContain(reason);
    expect(await free.appears("at-t0")).toBe("PCI_BUS_ID 1");
    free.write("go", "");
    await finished(build);
    waiter.kill("SIGTERM");
    await waiter.ended;
  });

  it("are looked at again before a task starts, if the last look is old", async () => {
    const used = new Map([[first, 0]]);
    const usage = new DriverUsage(GiB, () => {
      const listed = DEVICES.map(({ id, ...each }) => {
        return { ...each, index: id, gpu: each.uuid, used: used.get(each.uuid) ?? 0, mig: false };
      });
      return Promise.resolve({ devices: listed, trouble: null });
    });
    await usage.refresh();
    const leases = new Leases(usage);
    const slots = slotsWith(leases);
    const request = gpus(1);
    used.set(first, 5 * GiB);
    const later = performance.now() + 3_600_000;
    vi.spyOn(performance, "now").mockImplementation(() => later);
    expect(slots.take(request)).toBeNull();
    await new Promise<void>((wake) => slots.rest(wake));
    expect(slots.take(request)?.devices.map(({ device }) => device.id)).toEqual(["1"]);
    leases.close();
    vi.restoreAllMocks();
  });

  it("settings with only comments count as no settings", async () => {
    const settings = cliProject({ "lq/config.yaml": "gpu:\n  # busy: 1GiB\n" });
    vi.stubEnv("XDG_CONFIG_HOME", settings.root);
    const of = cliProject({
      "pipeline.yaml": "version: 1\nrules: { r: { cmd: 'touch ${out}', out: r.txt } }\n",
    });
    expect(await of.lq("build")).toMatchObject({ code: 0, stderr: "" });
    settings.write("lq/config.yaml", "# gpu: { busy: 1GiB }\n");
    expect(await of.lq("build", "-f")).toMatchObject({ code: 0, stderr: "" });
  });

  it("a wrong setting is refused with its place", async () => {
    const settings = cliProject({ "lq/config.yaml": "gpu: { busi: 1GiB, busy: 2, groups: [0, 1] }\n" });
    vi.stubEnv("XDG_CONFIG_HOME", settings.root);
    const { code, stderr } = await project("1").lq("build");
    expect(code).toBe(2);
    expect(stderr).toContain('config.yaml:1:8: error: unknown key "busi" in gpu');
    expect(stderr).toContain('did you mean "busy"?');
    expect(stderr).toContain('config.yaml:1:26: error: "busy" would be 2 bytes');
    expect(stderr).toContain("hint: write 2GiB");
    expect(stderr).toContain('"groups" must be a list of lists');
  });
});

describe("a driver that fails", () => {
  it("gives a notice if the task's device is optional, and an error if it is not", async () => {
    fakeDriverScript("echo cannot talk to the driver; exit 9");
    const can = project("optional");
    can.write("go", "");
    const build = await can.lq("build");
    expect(build.code).toBe(0);
    expect(build.stdout).toContain(
      "no GPU is used: nvidia-smi failed (exit code 9): cannot talk to the driver",
    );
    expect(can.read("t0.txt")).toBe("PCI_BUS_ID \n");
    const { code, stderr } = await project("1").lq("build");
    expect(code).toBe(2);
    expect(stderr).toContain("it asks for 1 GPU and there are 0 (nvidia-smi failed");
  });
});
