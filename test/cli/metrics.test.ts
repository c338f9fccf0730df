/** Progress, notes and numbers that tasks report: from Python, from any program and from modules. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TaskReports } from "../../src/execute/task-reports.ts";
import type { Event } from "../../src/report/events.ts";
import { cliProject, type JsonLine } from "../helpers/cli.ts";
import { hasModule, PYTHON, runPython } from "../helpers/python.ts";
import { testFolder } from "../helpers/folder.ts";

function told(lines: readonly JsonLine[], task: string): JsonLine[] {
  return lines.filter((line) => line["task"] === task && ["progress", "metrics"].includes(line.type));
}

describe("progress and numbers", () => {
  test.skipIf(PYTHON === null)("come from a Python script, a command and a module", async () => {
    const build = cliProject({
      "pipeline.yaml": `version: 1
environment: { python: ${PYTHON} }
rules:
  py: { script: train.py, with: { steps: 30 }, out: py.txt }
  sh: { cmd: 'echo ''{"progress": 0.5, "note": "half"}'' >> "$LQ_METRICS"; echo ''{"step": 7, "loss": 0.25}'' >> "$LQ_METRICS"; echo x > \${out}', out: sh.txt }
  ts: { run: train.ts, out: ts.txt }
  log: { cmd: 'echo reading; echo case 12 of 40; echo x > \${out}', out: log.txt }
`,
      "train.py":
        "from lq import task\nfor i in range(task.params['steps']):\n    task.metrics(i, loss=1 / (i + 1), dice=0.5)\n" +
        "task.progress(0.4, 'epoch 12')\nopen(task.output(), 'w').write('done')\n",
      "train.ts":
        'import { writeFileSync } from "node:fs";\nimport { task } from "lq";\n' +
        'export default task({ run({ metrics, output }) { metrics(3, { loss: 0.5 }); writeFileSync(output(), "x"); } });\n',
    });
    const lines = await build.json("build");
    expect(lines.at(-1)).toMatchObject({ type: "summary", ran: 4 });
    expect(told(lines, "py")).toContainEqual({
      type: "progress",
      task: "py",
      fraction: 0.4,
      note: "epoch 12",
    });
    expect(told(lines, "py")).toContainEqual({
      type: "metrics",
      task: "py",
      step: 29,
      values: { loss: 1 / 30, dice: 0.5 },
    });
    expect(told(lines, "sh")).toEqual([
      { type: "progress", task: "sh", fraction: 0.5, note: "half" },
      { type: "metrics", task: "sh", step: 7, values: { loss: 0.25 } },
    ]);
    expect(told(lines, "ts")).toEqual([{ type: "metrics", task: "ts", step: 3, values: { loss: 0.5 } }]);
    expect(told(lines, "log").at(0)).toMatchObject({ type: "progress", fraction: 0 });
    const kept = build.read("cache/logs/py/py.metrics.jsonl").trim().split("\n");
    expect(kept).toHaveLength(30);
    expect(JSON.parse(kept[29] ?? "")).toEqual({ step: 29, loss: 1 / 30, dice: 0.5 });
    // They are not in the key.
    expect((await build.json("build")).at(-1)).toMatchObject({ fresh: 4 });
  });

  test.skipIf(PYTHON === null)("continue when a resumable task is asked to stop and resumes", async () => {
    const build = cliProject({
      "pipeline.yaml": `version: 1
rules:
  train: { script: train.py, resume: true, out: model.txt }
`,
      "train.py":
        "import os, time\nfrom lq import task\nstate = os.path.join(task.scratch, 'state')\n" +
        "task.should_stop\nstart = int(open(state).read()) if os.path.exists(state) else 0\n" +
        "for i in range(start, 4):\n    task.metrics(i, loss=float(i))\n" +
        "    if i == 1 and start == 0:\n        print('waiting', flush=True)\n" +
        "        while not task.should_stop: time.sleep(0.01)\n" +
        "        open(state, 'w').write('2'); raise SystemExit(3)\n" +
        "open(task.output(), 'w').write('%d' % start)\n",
    });
    const first = build.start("build", "--json");
    await first.line('"waiting"');
    first.kill("SIGTERM");
    expect((await first.ended).code).toBe(143);
    expect((await build.lq("build")).code).toBe(0);
    expect(build.read("model.txt")).toBe("2");
    const steps = build
      .read("cache/logs/train/train.metrics.jsonl")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps).toEqual([0, 1, 2, 3]);
  });

  test("are thinned to 10,000 points, and lines without numbers are skipped", () => {
    const folder = testFolder();
    const file = join(folder, "logs/x.metrics.jsonl");
    const events: Event[] = [];
    const reports = new TaskReports("x", file, false, (event) => events.push(event));
    for (let step = 0; step < 45_000; step++) reports.metrics(step, { loss: step });
    for (const line of ["", "null", "[1]", "{", '{"step":"a"}', '"x"']) reports.line(line);
    reports.close();
    const steps = readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps.length).toBeLessThanOrEqual(10_000);
    expect(steps.length).toBeGreaterThan(4000);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect([steps[0], (steps.at(-1) ?? 0) > 44_000]).toEqual([0, true]);
    expect(events.at(-1)).toMatchObject({ type: "metrics", step: 44_999 });
    expect(events.length).toBeLessThan(1000);
    mkdirSync(join(folder, "kept"));
    writeFileSync(join(folder, "kept/y"), '{"step":1,"loss":2}\n');
    new TaskReports("x", join(folder, "kept/y"), true, () => undefined).metrics(2, { loss: 1 });
    expect(readFileSync(join(folder, "kept/y"), "utf8")).toBe('{"step":1,"loss":2}\n{"step":2,"loss":1}\n');
  });
});

test.skipIf(PYTHON === null)("a script that runs without lq says how to run it", () => {
  const script = `
import sys; sys.path.insert(0, "python")
from lq import task
try: task.input()
except RuntimeError as error: print(error)
`;
  expect(runPython("-c", script)).toContain("run by lq");
});

test.skipIf(!hasModule("mypy"))("lq's Python module passes mypy --strict", () => {
  const files = ["python/lq.py", "src/followed/read.py", "src/followed/describe.py"];
  expect(runPython("-m", "mypy", "--strict", "--cache-dir=/dev/null", ...files)).toContain("no issues");
});
