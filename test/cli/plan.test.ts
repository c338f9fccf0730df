import { describe, expect, test, vi, beforeEach } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  name: [a, b, c, d]
  case: { in: cases.json, at: "cases[*]" }
default: [all.txt]
rules:
  train:
    each: { name: name }
    cmd: 'echo \${epochs} > \${out}'
    out: "models/\${name}.txt"
    slots: { cpu: 0, gpu: { count: 1, type: h100 } }
  all: { cmd: "cat \${in}* > \${out}", in: models/, out: all.txt }
  list: { cmd: "echo '{\\"cases\\": [\\"x\\"]}' > \${out}", out: cases.json }
  case: { each: { case: case }, cmd: "touch \${out}", out: "cases/\${case}" }
`,
  "params.yaml": "epochs: 3\n",
};

beforeEach(() => vi.stubEnv("XDG_CONFIG_HOME", "/nonexistent"));

describe("plan", () => {
  test("shows what would run, why, how long, and the critical path, and says which durations are unknown", async () => {
    const project = cliProject(FILES);
    const { code, stdout } = await project.lq("plan", "--slots", "gpu=3:h100", "-j", "1");
    expect(code).toBe(0);
    expect(stdout).toBe(`5 of 5 tasks would run
  train  4 × 1.0 s         never built
  all    1 × 1.0 s         after train

about 3.0 s with 1 core and 3 GPUs (no order takes less than 2.0 s)
work: 0.000 core-hours, 0.001 GPU-hours
durations: 5 unknown, counted as 1 s each (train, all)

critical path, 2.0 s:
  train:a 1.0 s
  all 1.0 s
`);
    expect(project.has("models")).toBe(false);
    expect(project.has("cache")).toBe(false);
  });

  test("what a change would cost, by the durations on record", async () => {
    const project = cliProject(FILES);
    expect((await project.lq("build", "--slots", "gpu=4:h100")).code).toBe(0);
    expect((await project.lq("plan", "--slots", "gpu=2:h100")).stdout).toBe(
      "0 of 5 tasks would run, 5 are fresh\n",
    );
    const [changed] = await project.json("plan", "--set", "epochs=4", "--slots", "gpu=2:h100");
    expect(changed).toMatchObject({
      type: "forecast",
      run: 5,
      fresh: 0,
      devices: 2,
      durations: { record: 5, rule: 0, nothing: 0 },
      rules: [
        {
          rule: "train",
          run: 4,
          reasons: [{ text: "params epochs: 3 → 4", tasks: 4 }],
        },
        { rule: "all", run: 1, reasons: [{ text: "after train", tasks: 1 }] },
      ],
    });
    const { makespan, atLeast } = changed as unknown as { makespan: number; atLeast: number };
    expect(makespan).toBeGreaterThanOrEqual(atLeast);
    project.remove("models/b.txt");
    const [lost] = await project.json("plan", "--slots", "gpu=2:h100");
    expect(lost).toMatchObject({ run: 0, restore: 1, fresh: 4, makespan: 0 });
  });

  test("shows rules with tasks that are not known yet, and names tasks that can never start here", async () => {
    const project = cliProject(FILES);
    expect((await project.lq("plan", "case")).stdout).toContain(
      "  case has tasks that are known when cases.json is there\n",
    );
    const { code, stdout } = await project.lq("plan", "--slots", "gpu=2:a100");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "cannot run here: train (4 tasks): it asks for 1 GPU of type h100 and there are 0",
    );
  });

  test("can pretend more devices than CUDA_VISIBLE_DEVICES allows, because nothing runs", async () => {
    vi.stubEnv("CUDA_VISIBLE_DEVICES", "0");
    const project = cliProject(FILES);
    const [found] = await project.json("plan", "--slots", "gpu=8:h100");
    expect(found).toMatchObject({ run: 5, devices: 8 });
    const { code, stderr } = await project.lq("build", "--slots", "gpu=8:h100");
    expect([code, stderr]).toEqual([2, expect.stringContaining("CUDA_VISIBLE_DEVICES allows 1")]);
  });
});
