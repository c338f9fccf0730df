/** Machines with fewer slots than tasks need: lq does what is possible, and refuses the rest before it starts. */
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { fakeDriver } from "../helpers/nvidia-smi.ts";

beforeEach(() => vi.stubEnv("XDG_CONFIG_HOME", "/nonexistent"));

test("cached outputs are restored on a machine without the device, unless they are damaged", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  train: { cmd: "echo weights > \${out}", out: model.txt, slots: { gpu: 1 } }
  table: { cmd: "cp \${in} \${out}", in: model.txt, out: table.txt }
`,
  });
  expect((await project.lq("build", "--slots", "gpu=1")).code).toBe(0);
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "");
  for (const output of ["model.txt", "table.txt"]) project.remove(output);
  expect((await project.json("build")).at(-1)).toMatchObject({ restored: 2, failed: 0 });

  project.remove("model.txt");
  for (const object of objects(project)) {
    chmodSync(object, 0o644);
    writeFileSync(object, "WEIGHTS\n");
  }
  const { code, stdout } = await project.lq("build");
  expect(code).toBe(1);
  expect(stdout).toContain(
    "failed train: it can never start: it asks for 1 GPU and there are 0 (CUDA_VISIBLE_DEVICES allows none)",
  );
});

function objects(project: CliProject): string[] {
  const folder = project.path("cache/objects");
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${parentPath}/${name}`);
}

test("build refuses tasks that are not known yet and could never start, and plan names their rule", async () => {
  fakeDriver(["0, GPU-aaaa, 81920, 0, Disabled, NVIDIA H100", "1, GPU-bbbb, 24576, 0, Disabled, NVIDIA L4"]);
  const project = cliProject({
    "pipeline.yaml": `version: 1
axes: { case: { in: cases.json, at: "cases[*]" } }
rules:
  list: { cmd: "echo '{\\"cases\\": [\\"x\\"]}' > \${out}", out: cases.json }
  fit: { each: { case: case }, cmd: "touch \${out}", out: "fit/\${case}", slots: { gpu: { memory: 30GiB } } }
  big: { each: { case: case }, cmd: "touch \${out}", out: "big/\${case}", slots: { gpu: { count: 2, type: h100 } } }
`,
  });
  const { code, stderr } = await project.lq("build");
  expect(code).toBe(2);
  expect(stderr).toContain(
    "pipeline.yaml:6:3: error: big:* can never start: it asks for 2 GPUs of type h100 and there is 1",
  );
  expect(stderr).not.toContain("fit");
  expect(project.has("cases.json")).toBe(false);
  expect(await project.json("plan")).toMatchObject([
    {
      run: 1,
      cannotRun: [{ rule: "big", why: "it asks for 2 GPUs of type h100 and there is 1" }],
      behind: 0,
    },
  ]);
});

test("a slot is free for the next task while the outputs of the last one are hashed and stored", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  a: { cmd: "head -c 20000000 /dev/zero > \${out}", out: a.bin, slots: { gpu: 1 } }
  b: { cmd: "head -c 20000000 /dev/zero > \${out} && echo >> \${out}", out: b.bin, slots: { gpu: 1 } }
  last: { cmd: "cat \${in} | wc -c > \${out}", in: [a.bin, b.bin], out: last.txt, slots: { gpu: 1 } }
`,
  });
  const events = await project.json("build", "-j", "4", "--slots", "gpu=1");
  const order = events
    .filter(({ type }) => type === "start" || type === "task")
    .map(({ type, task }) => `${type} ${String(task)}`);
  const [starts, ends] = [order.slice(0, 2), order.slice(2, 4)];
  expect([starts.sort(), ends.sort(), order.slice(4)]).toEqual([
    ["start a", "start b"],
    ["task a", "task b"],
    ["start last", "task last"],
  ]);
});
