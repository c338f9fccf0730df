import { describe, expect, it } from "vitest";
import type { Event } from "../../src/report/events.ts";
import { isAlive } from "../helpers/alive.ts";
import { fakeDriver } from "../helpers/nvidia-smi.ts";
import { Project } from "../helpers/project.ts";

describe("failures", () => {
  const pipeline = `version: 1
rules:
  bad: { cmd: "echo half > \${out}; echo before; echo trouble >&2; exit 4", in: in.txt, out: bad.txt }
  after: { cmd: "cp \${in} \${out}", in: bad.txt, out: after.txt }
  other: { cmd: "cp \${in} \${out}", in: in.txt, out: other.txt, slots: { cpu: 1 } }
  last: { cmd: "cp \${in} \${out}", in: other.txt, out: last.txt }
`;

  it("keep the old output, show the last lines and skip what needs them; -k goes on with the rest", async () => {
    const project = new Project({
      "pipeline.yaml": pipeline.replace("exit 4", "cat ${in} > ${out}"),
      "in.txt": "1",
    });
    await project.build();
    expect(project.read("bad.txt")).toBe("1");
    project.write("pipeline.yaml", pipeline);
    project.write("in.txt", "2");
    const { summary, events } = await project.build({ keepGoing: true });
    expect(summary).toMatchObject({ ran: 2, failed: 1, skipped: 1 });
    const failed = events.find((event) => event.type === "task" && event.outcome === "failed");
    expect(failed).toMatchObject({
      task: "bad",
      error: "exit code 4",
      tail: ["before", "trouble"],
      log: "cache/logs/bad/bad.log",
    });
    expect([project.read("bad.txt"), project.read("after.txt"), project.read("last.txt")]).toEqual([
      "1",
      "1",
      "2",
    ]);
    const again = await project.build({ keepGoing: true, targets: ["bad"] });
    expect(again.events.find((event) => event.type === "start")?.reasons).toContainEqual({
      kind: "failed-before",
    });
  });

  it("stop the build without -k", async () => {
    const project = new Project({ "pipeline.yaml": pipeline, "in.txt": "1" });
    const { summary } = await project.build({ jobs: 1 });
    expect(summary.failed).toBe(1);
    expect(summary.ran + summary.skipped).toBe(3);
  });

  it("are tried again as often as the rule says, with each attempt in the log and the events", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  flaky:
    cmd: "echo try >> tries.log; echo once; test $(wc -l < tries.log) = 3; echo done > \${out}"
    out: flaky.txt
    retries: 2
`,
    });
    const { summary, retries } = await project.build();
    expect(summary).toMatchObject({ ran: 1, failed: 0 });
    expect(project.read("tries.log")).toBe("try\ntry\ntry\n");
    const retry = { type: "retry", task: "flaky", error: "exit code 1", wholeDevice: false };
    expect(retries).toEqual([
      { ...retry, attempt: 2 },
      { ...retry, attempt: 3 },
    ]);
    expect(project.read("cache/logs/flaky/flaky.log")).toBe(
      "once\n[lq: attempt 1 failed: exit code 1]\nonce\n[lq: attempt 2 failed: exit code 1]\nonce\n",
    );
  });

  it("by lack of device memory are tried again with the whole device", async () => {
    const cmd = (name: string, needs: string): string =>
      `"echo ${name} $CUDA_VISIBLE_DEVICES >> log.txt; test $(grep -c ${name} log.txt) -ge ${needs} || { echo 'RuntimeError: CUDA out of memory (tried 2 GiB)'; exit 1; }; touch \${out}"`;
    fakeDriver(["0, GPU-aaaa, 81920, 0, Disabled, NVIDIA H100"]);
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  big: { cmd: ${cmd("big", "2")}, out: big, slots: { gpu: { memory: 10GiB } }, oom: "CUDA out of memory" }
  huge: { cmd: ${cmd("huge", "9")}, out: huge, slots: { gpu: { memory: 10GiB } }, oom: "CUDA out of memory" }
  other: { cmd: ${cmd("other", "9")}, out: other, slots: { gpu: { memory: 10GiB } }, oom: "no such thing" }
`,
    });
    const { ran, failed, retries } = await project.build({ keepGoing: true });
    expect([ran, failed]).toEqual([["big"], ["huge", "other"]]);
    expect(retries.map(({ task, wholeDevice }) => [task, wholeDevice]).sort()).toEqual([
      ["big", true],
      ["huge", true],
    ]);
    expect(project.read("cache/logs/big/big.log")).toBe(
      "RuntimeError: CUDA out of memory (tried 2 GiB)\n[lq: attempt 1 failed: exit code 1]\n",
    );
    const runs = project.read("log.txt").trim().split("\n").sort();
    expect(runs).toEqual(["big 0", "big 0", "huge 0", "huge 0", "other 0"]);
  });

  it("by lack of device memory are recognised whatever the task prints afterwards", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  train:
    cmd: 'echo run >> log.txt; test $(wc -l < log.txt) = 2 && { touch \${out}; exit; }; printf "\\377out of memory\\n"; seq 30000; exit 1'
    out: model
    slots: { cpu: 0, gpu: { memory: 10GiB } }
    oom: out of memory
`,
    });
    const { ran, retries } = await project.build({ slots: "gpu=1:80GiB" });
    expect(ran).toEqual(["train"]);
    expect(retries).toMatchObject([{ wholeDevice: true }]);
  });

  it("by lack of device memory do not use up the rule's retries, and all attempts are numbered", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  train:
    cmd: 'echo run >> log.txt; echo "out of memory"; test $(wc -l < log.txt) -gt 9; touch \${out}'
    out: model
    slots: { cpu: 0, gpu: { memory: 10GiB } }
    oom: out of memory
    retries: 1
`,
    });
    const { failed, retries } = await project.build({ slots: "gpu=1:80GiB" });
    expect(failed).toEqual(["train"]);
    expect(retries.map(({ attempt, wholeDevice }) => [attempt, wholeDevice])).toEqual([
      [2, true],
      [3, false],
    ]);
    expect(project.read("log.txt")).toBe("run\nrun\nrun\n");
    expect(project.read("cache/logs/train/train.log")).toBe(
      [1, 2].map((n) => `out of memory\n[lq: attempt ${n} failed: exit code 1]\n`).join("") +
        "out of memory\n",
    );
  });

  it("include running longer than the timeout", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  slow: { cmd: "touch \${out}; sleep 60", out: slow.txt, timeout: 0.2 }
`,
    });
    const { errors } = await project.build();
    expect(errors).toEqual(["it took longer than its timeout of 0.2 s"]);
    expect(project.has("slow.txt")).toBe(false);
  });

  it("include programs that are not there", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1\nrules:\n  none: { cmd: ["no-such-program", "x"], out: x.txt }\n`,
    });
    expect((await project.build()).errors).toEqual(['there is no program "no-such-program"']);
  });
});

describe("cancelling", () => {
  it("ends every process of the running tasks, even those that ignore SIGTERM", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  deaf:
    cmd: "trap '' TERM; (trap '' TERM; sleep 1000) & echo $! $$ > started; while :; do sleep 0.1; done; touch \${out}"
    out: deaf.txt
  next: { cmd: "cp \${in} \${out}", in: deaf.txt, out: next.txt }
`,
    });
    project.fifo("started");
    const controller = new AbortController();
    const building = project.build({ signal: controller.signal });
    const pids = (await project.received("started")).trim().split(" ").map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    controller.abort();
    const { summary } = await building;
    expect(summary).toMatchObject({ ran: 0, failed: 0, cancelled: 1, skipped: 1 });
    await expect.poll(() => pids.map(isAlive)).toEqual([false, false]);
    expect([project.has("deaf.txt"), project.has("cache/lock"), project.has("cache/staging")]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("stops while lq restores many outputs, and the next build restores the rest", async () => {
    const count = 200;
    const project = new Project({
      "pipeline.yaml": `version: 1
axes: { number: [${Array.from({ length: count }, (_, i) => i).join(", ")}] }
rules:
  number: { each: [number], cmd: "echo \${number} > \${out}", out: "numbers/\${number}.txt" }
`,
    });
    expect((await project.build()).summary).toMatchObject({ ran: count });
    project.remove("numbers");

    const controller = new AbortController();
    const listener = (event: Event): void => {
      if (event.type === "task" && event.outcome === "restored") controller.abort();
    };
    const { restored, skipped } = (await project.build({ signal: controller.signal, listener })).summary;
    expect(restored).toBeLessThan(count);
    expect(restored + skipped).toBe(count);
    const rest = await project.build();
    expect(rest.summary).toMatchObject({ fresh: restored, restored: skipped, ran: 0 });
  });

  it("keeps the scratch folder of a resumable task, for the same key only", async () => {
    const pipeline = (text: string) => `version: 1
rules:
  train:
    cmd: "cat \${scratch}/* > seen.txt 2>/dev/null || true; echo ${text} > \${scratch}/step; echo > started; test -e go || sleep 60; cp seen.txt \${out}"
    out: model.txt
    resume: true
`;
    const project = new Project({ "pipeline.yaml": pipeline("one") });
    project.fifo("started");
    const cancelOnce = async (): Promise<void> => {
      const controller = new AbortController();
      const building = project.build({ signal: controller.signal });
      await project.received("started");
      controller.abort();
      expect((await building).summary.cancelled).toBe(1);
    };
    const finish = async (): Promise<string> => {
      const building = project.build();
      await project.received("started");
      expect((await building).summary.ran).toBe(1);
      return project.read("model.txt");
    };
    await cancelOnce();
    project.write("go", "");
    expect(await finish()).toBe("one\n");
    project.write("pipeline.yaml", pipeline("two"));
    expect(await finish()).toBe("");
    expect(project.read("seen.txt")).toBe("");
  });
});

describe("inputs that change while a task runs", () => {
  it.each([
    ["", "echo new > in.txt"],
    [" (same size and time)", "cp -p in.txt kept; echo new > in.txt; touch -r kept in.txt"],
    [" (another file in its place)", "echo new > other; mv other in.txt"],
  ])("make the task run again, and its first outputs do not go into the cache%s", async (_, edit) => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  copy: { cmd: "cat \${in} > \${out}; test -e changed || { touch changed; ${edit}; }", in: in.txt, out: out.txt }
`,
      "in.txt": "old\n",
    });
    const { summary, notices } = await project.build();
    expect(summary).toMatchObject({ ran: 1, failed: 0 });
    expect(notices).toEqual(["in.txt changed while copy ran: it runs again"]);
    expect(project.read("out.txt")).toBe("new\n");
    expect((await project.build()).summary.fresh).toBe(1);
    project.write("in.txt", "old\n");
    expect((await project.build()).ran).toEqual(["copy"]);
  });

  it.each([
    ["data/c", "gained", "echo new > data/c"],
    ["data/a", "lost", "rm data/a"],
    ["data/a", "edited", "echo new > data/a"],
  ])("are noticed in a folder: %s, %s", async (path, _, edit) => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  all: { cmd: "cat \${in}* > \${out}; test -e changed || { touch changed; ${edit}; }", in: data/, out: out.txt }
`,
      "data/a": "1\n",
      "data/b": "2\n",
    });
    const { summary, notices } = await project.build();
    expect(summary).toMatchObject({ ran: 1, failed: 0 });
    expect(notices).toEqual([`${path} changed while all ran: it runs again`]);
    expect((await project.build()).summary.fresh).toBe(1);
  });

  it("fail the task when they change in the second attempt, too", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1\nrules:\n  copy: { cmd: "cp \${in} \${out}; echo more >> in.txt", in: in.txt, out: out.txt }\n`,
      "in.txt": "old\n",
    });
    expect((await project.build()).errors).toEqual([
      "in.txt changed while it ran, twice: lq dropped its result",
    ]);
    expect(project.has("out.txt")).toBe(false);
  });
});

describe("slots", () => {
  it("give each device to one task at a time, and show each task only its own devices", async () => {
    fakeDriver([
      "0, GPU-aaaa, 81920, 0, Disabled, NVIDIA H100",
      "1, GPU-bbbb, 81920, 0, Disabled, NVIDIA H100",
    ]);
    const project = new Project({
      "pipeline.yaml": `version: 1
axes: { name: [a, b, c, d, e, f] }
rules:
  train:
    each: { name: name }
    cmd: "mkdir busy-$CUDA_VISIBLE_DEVICES; echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER > \${out}; rmdir busy-$CUDA_VISIBLE_DEVICES"
    out: "out/\${name}.txt"
    slots: { gpu: 1 }
  none:
    cmd: "echo \\"[$CUDA_VISIBLE_DEVICES]\\" $OMP_NUM_THREADS > \${out}"
    out: none.txt
    slots: { cpu: 2 }
`,
    });
    const { summary, errors } = await project.build({ slots: "cpu=6" });
    expect(errors).toEqual([]);
    expect(summary.ran).toBe(7);
    const seen = new Set(["a", "b", "c", "d", "e", "f"].map((name) => project.read(`out/${name}.txt`)));
    expect([...seen].sort()).toEqual(["0 PCI_BUS_ID\n", "1 PCI_BUS_ID\n"]);
    expect(project.read("none.txt")).toBe("[] 2\n");
  });

  it("are refused before anything runs if there can never be enough of them", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  small: { cmd: "touch \${out}", out: small.txt }
  large: { cmd: "touch \${out}", out: large.txt, slots: { gpu: 3 } }
`,
    });
    await expect(project.build({ slots: "gpu=2" })).rejects.toThrow(
      "large can never start: it asks for 3 GPUs and there are 2",
    );
    expect(project.has("small.txt")).toBe(false);
  });
});

describe("tasks of one key", () => {
  it("run once, and lq restores the outputs of the others", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
axes: { name: [a, b, c] }
rules:
  same: { each: { name: name }, run: task.ts, in: in.txt, out: "out/\${name}.txt" }
`,
      "in.txt": "1",
      "task.ts": `import { appendFileSync, copyFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ input, output }) => (appendFileSync("runs.log", "x"), copyFileSync(input(), output())) });
`,
    });
    const { ran, restored } = await project.build();
    expect([ran.length, restored.length, project.read("runs.log")]).toEqual([1, 2, "x"]);
    expect(project.read("out/c.txt")).toBe("1");
  });
});
