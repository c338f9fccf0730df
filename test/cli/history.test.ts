/** Past builds: `lq history`, `lq report`, and `lq why` of fresh tasks. */
import { appendFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { built, buildAll, builtTwice } from "./table-project.ts";

test("history lists builds that did something, and the runs of a task with their reasons", async () => {
  const project = await builtTwice();
  await project.built(); // nothing to do: no history
  const lines = await project.json("history");
  expect(lines).toMatchObject([
    { type: "build", build: 2, ran: 3, fresh: 2, failed: 0, complete: true },
    { type: "build", build: 1, ran: 5, fresh: 0, failed: 0, complete: true },
  ]);
  const runs = await project.json("history", "train");
  expect(runs.map(({ build, task }) => [build, task])).toEqual([
    [2, "train:small"],
    ...[1, 1].map((build, i) => [build, runs[1 + i]!.task]),
  ]);
  expect(runs[0]).toMatchObject({ outcome: "ran", devices: ["0"], reasons: [{ kind: "param" }] });
  const { stdout } = await project.lq("history", "scores/small.json", "--most", "1");
  expect(stdout).toMatch(/^ {4}2 .* ran score:small: file models\/small\.txt changed\n$/);
});

test("a history cut off in the middle of a line is shown up to there", async () => {
  const project = await built();
  const file = project.path("cache/history/000001.jsonl");
  const lines = readFileSync(file, "utf8").split("\n");
  project.write("cache/history/000002.jsonl", [...lines.slice(0, 3), lines[3]!.slice(0, 20)].join("\n"));
  expect((await project.json("history"))[0]).toMatchObject({ build: 2, ran: 2, complete: false });
  appendFileSync(project.path("cache/history/000003.jsonl"), "no history\n");
  expect(await project.json("history")).toHaveLength(2);
});

test("a failed task is in the history, with its error", async () => {
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  no:\n    cmd: "exit 3"\n    out: no.txt\n',
  });
  expect((await project.lq("build")).code).toBe(1);
  expect((await project.json("history", "no"))[0]).toMatchObject({ outcome: "failed", build: 1 });
  expect(JSON.stringify(await project.json("history", "no"))).toContain("3");
});

test("report sums up a build, and writes trace events with one lane for each device", async () => {
  const project = await built();
  project.write("mine.json", '{"traceEvents":[]}');
  const refused = await project.lq("report", "--chrome-trace", "mine.json");
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("lq did not write it")]);
  expect(project.read("mine.json")).toBe('{"traceEvents":[]}');
  await project.lq("report", "--chrome-trace", "trace.json");
  const { stdout } = await project.lq("report", "--chrome-trace", "trace.json");
  expect(stdout).toMatch(/^build 1, .* tasks at once\n/);
  for (const rule of ["train", "score", "table"]) expect(stdout).toContain(`  ${rule} `);
  const traceEvents = readTrace(project, "trace.json");
  const runs = traceEvents.filter(({ ph, pid }) => ph === "X" && pid === 1);
  expect(runs.map(({ name }) => name).sort()).toEqual([
    "score:large",
    "score:small",
    "table",
    "train:large",
    "train:small",
  ]);
  // No lane has two tasks at once. The one device ran the trainings one after the other.
  for (const pid of [1, 2])
    for (const a of traceEvents.filter((event) => event.ph === "X" && event.pid === pid))
      for (const b of traceEvents.filter((event) => event.ph === "X" && event.pid === pid))
        if (a !== b && a.tid === b.tid)
          expect(a.ts + a.dur <= b.ts + 1 || b.ts + b.dur <= a.ts + 1).toBe(true);
  expect((await project.lq("report", "--build", "7")).code).toBe(2);
});

test("tasks that share a device are in separate lanes, because viewers drop events that overlap", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  a: { cmd: "cat one > \${out}; echo > two", out: a.txt, slots: { gpu: { memory: 1GiB } } }
  b: { cmd: "echo > one; cat two > \${out}", out: b.txt, slots: { gpu: { memory: 1GiB } } }
`,
  });
  project.fifo("one", "two");
  expect((await project.lq("build", "-j", "2", "--slots", "gpu=1:h100:80GiB")).code).toBe(0);
  mkdirSync(project.path("elsewhere"));
  await project.lq("-C", "elsewhere", "report", "--chrome-trace", "trace.json");
  const traceEvents = readTrace(project, "elsewhere/trace.json");
  const ofDevice = traceEvents.filter(({ ph, pid }) => ph === "X" && pid === 2);
  expect(ofDevice.map(({ name }) => name).sort()).toEqual(["a", "b"]);
  expect(new Set(ofDevice.map(({ tid }) => tid)).size).toBe(2);
});

test("why of a fresh task says why it last ran", async () => {
  const project = await builtTwice();
  const { stdout } = await project.lq("why", "scores/small.json");
  expect(stdout).toContain("score:small is fresh");
  expect(stdout).toMatch(
    /it last ran in build 2, .*, for\n {4}file models\/small\.txt changed: [0-9a-f]{12} → [0-9a-f]{12}\n {4}train:small ran in build 2/,
  );
});

test("only the newest 200 builds are kept", async () => {
  const project = await built();
  for (let build = 2; build <= 200; build++)
    project.write(`cache/history/${String(build).padStart(6, "0")}.jsonl`, "");
  project.write("data/corpus.txt", "other\n");
  await buildAll(project);
  const names = readdirSync(project.path("cache/history")).sort();
  expect(names).toHaveLength(200);
  expect([names[0], names.at(-1)]).toEqual(["000002.jsonl", "000201.jsonl"]);
});

function readTrace(project: CliProject, path: string): TraceEvent[] {
  return (JSON.parse(project.read(path)) as { traceEvents: TraceEvent[] }).traceEvents;
}

/** Times in microseconds. */
interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
}
