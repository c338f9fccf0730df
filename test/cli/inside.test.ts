/** The commands that look into what has been: history, report, diff, trace, why of what is fresh. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sha256 } from "../../src/fingerprint/digest.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  model: { keys: models }
rules:
  train:
    each: { model: model }
    cmd: "echo weights \${models[model].width} $(cat \${in}) > \${out}"
    in: "data/corpus.txt"
    out: "models/\${model}.txt"
    slots: { gpu: 1 }
  score:
    each: { model: model }
    run: score.ts
    with: { penalty: "\${penalty}" }
    in: "models/\${model}.txt"
    out: "scores/\${model}.json"
  table:
    run: table.ts
    in: { scores: scores/ }
    out: [table.md, table.cells.json]
`,
  "params.yaml": "penalty: 1\nmodels:\n  small: { width: 4 }\n  large: { width: 8 }\n",
  "score.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({
  params,
  run({ input, output, params }) {
    const width = Number(readFileSync(input(), "utf8").split(" ")[1]);
    writeFileSync(output(), JSON.stringify({ dice: width * 10 - params.penalty, name: "a" }));
  },
});
`,
  "table.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ files, outputs }) {
    const rows = files("scores").map(({ name, path }) => [name, JSON.parse(readFileSync(path, "utf8")).dice]);
    const [table, cells] = outputs();
    writeFileSync(table, rows.map(([name, dice]) => name + " | " + dice + "\\n").join(""));
    writeFileSync(cells, JSON.stringify({ format: 1, cells: rows.map(([name, dice]) => (
      { row: name.replace(".json", ""), metric: "Dice", mean: dice, from: [{ input: "scores", file: name }] })) }));
  },
});
`,
  "data/corpus.txt": "corpus\n",
};

async function built(): Promise<CliProject> {
  const project = cliProject(FILES);
  await buildAll(project);
  return project;
}

async function buildAll(project: CliProject): Promise<void> {
  expect((await project.build({ slots: "gpu=1" })).failed).toEqual([]);
}

/** A second build, after `models.small.width` has changed from 4 to 6. */
async function builtTwice(): Promise<CliProject> {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("width: 4", "width: 6"));
  await buildAll(project);
  return project;
}

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
  expect(runs[0]).toMatchObject({ outcome: "ran", devices: ["0"], reasons: [{ kind: "command" }] });
  const { stdout } = await project.lq("history", "scores/small.json", "--most", "1");
  expect(stdout).toMatch(/^ {4}2 .* ran score:small: file models\/small\.txt changed\n$/);
});

test("a build cut off in mid-line is told as far as it got", async () => {
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

test("report sums up a build, and writes it as trace events with a lane a device", async () => {
  const project = await built();
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
  // No lane has two tasks at once, and the one device had the trainings one after the other.
  for (const pid of [1, 2])
    for (const a of traceEvents.filter((event) => event.ph === "X" && event.pid === pid))
      for (const b of traceEvents.filter((event) => event.ph === "X" && event.pid === pid))
        if (a !== b && a.tid === b.tid)
          expect(a.ts + a.dur <= b.ts + 1 || b.ts + b.dur <= a.ts + 1).toBe(true);
  expect((await project.lq("report", "--build", "7")).code).toBe(2);
});

test("tasks that share a device are traced beside each other, for viewers drop what overlaps", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  a: { cmd: "cat one > \${out}; echo > two", out: a.txt, slots: { gpu: { memory: 1GiB } } }
  b: { cmd: "echo > one; cat two > \${out}", out: b.txt, slots: { gpu: { memory: 1GiB } } }
`,
  });
  execFileSync("mkfifo", [project.path("one"), project.path("two")]);
  expect((await project.lq("build", "-j", "2", "--slots", "gpu=1:h100:80GiB")).code).toBe(0);
  mkdirSync(project.path("elsewhere"));
  await project.lq("-C", "elsewhere", "report", "--chrome-trace", "trace.json");
  const traceEvents = readTrace(project, "elsewhere/trace.json");
  const ofDevice = traceEvents.filter(({ ph, pid }) => ph === "X" && pid === 2);
  expect(ofDevice.map(({ name }) => name).sort()).toEqual(["a", "b"]);
  expect(new Set(ofDevice.map(({ tid }) => tid)).size).toBe(2);
});

test("diff goes from a table's changed lines down to the param that changed, with the values", async () => {
  const project = await builtTwice();
  const [found] = await project.json("diff", "table.md@1", "@2");
  expect(found).toMatchObject({
    task: "table",
    reasons: [
      {
        kind: "file",
        path: "scores/small.json",
        change: "changed",
        before: sha256('{"dice":39,"name":"a"}'),
      },
    ],
    outputs: [
      {
        path: "table.md",
        distance: {
          kind: "text",
          removed: ["small.json | 39"],
          added: ["small.json | 59"],
          numbers: { numbers: 1, of: 2, most: 20 },
        },
      },
      { path: "table.cells.json", distance: { kind: "json" } },
    ],
    from: [
      {
        task: "score:small",
        outputs: [{ distance: { kind: "json", numbers: 1, of: 1, most: 20, others: 0 } }],
        from: [{ task: "train:small", reasons: [{ kind: "command" }], from: [] }],
      },
    ],
  });
  // Without builds: the run before, and now.
  const { stdout } = await project.lq("diff", "scores/small.json");
  expect(stdout).toContain("score:small in build 1 → score:small now");
  expect(stdout).toContain("1 of 1 numbers differ, by at most 20");
});

test("diff of a param, of two tasks, of the same run, and of what is not on record", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 3"));
  await project.built("scores/");
  expect((await project.lq("diff", "score:large")).stdout).toContain("params penalty: 1 → 3");
  expect((await project.json("diff", "train:small", "train:large"))[0]).toMatchObject({
    same: false,
    ends: [
      { task: "train:small", build: null },
      { task: "train:large", build: null },
    ],
  });
  expect((await project.lq("diff", "train:small@1", "@2")).stdout).toContain("the same run");
  for (const [a, b, message] of [
    ["train:small@0", "@1", "no build 0 is on record"],
    ["train:small@1", "@9", "no build 9 is on record"],
    ["@1", "@2", '"@1" names no target'],
  ] as const) {
    const refused = await project.lq("diff", a, b);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  expect((await project.lq("diff", "scores/")).code).toBe(2);
});

test("diff compares outputs by their names, wherever the rule has them and whatever came or went", async () => {
  const project = cliProject({});
  const outputs = [
    "a: out/a.txt, b: out/b.txt",
    "b: out/b.txt, c: out/c.txt, a: out/a.txt",
    "b: out/new.txt",
  ];
  for (const declared of outputs) {
    const files = [...declared.matchAll(/(\w): ([\w./]+)/g)].map(([, role, path]) => ({ role, path }));
    const cmd = files.map(({ role }) => `echo ${role} > \${out.${role}}`).join("; ");
    project.write("pipeline.yaml", `version: 1\nrules: { tell: { cmd: "${cmd}", out: { ${declared} } } }\n`);
    await project.built();
  }
  const outputsOf = async (...ends: string[]) => (await project.json("diff", ...ends))[0]?.outputs;
  expect(await outputsOf("tell@1", "@2")).toEqual([
    { path: "out/c.txt", distance: { kind: "only", side: "after" } },
  ]);
  expect(await outputsOf("tell@2", "@3")).toEqual([
    { path: "out/c.txt", distance: { kind: "only", side: "before" } },
    { path: "out/a.txt", distance: { kind: "only", side: "before" } },
  ]);
});

test("trace follows one cell to its model, sources, params and runs, and to nothing else", async () => {
  const project = await builtTwice();
  const [traced] = await project.json("trace", "table.md", "--cell", "dice", "SMALL");
  expect(traced).toMatchObject({
    cell: { names: ["small", "Dice"], values: { mean: 59 } },
    step: {
      rule: "table",
      from: [
        {
          rule: "score",
          tasks: [{ task: "score:small", outputs: ["scores/small.json"], build: 2 }],
          params: [{ name: "penalty", values: [1] }],
          code: { name: "score.ts", files: 1 },
          from: [
            {
              rule: "train",
              tasks: [{ task: "train:small", build: 2, devices: ["0"] }],
              sources: [{ path: "data/corpus.txt" }],
              from: [],
            },
          ],
        },
      ],
    },
  });
  const { stdout } = await project.lq("trace", "table.md");
  expect(stdout).toContain("score:large and 1 more of score");
  expect(stdout).toContain("source  data/corpus.txt");
});

test("diff tells how far arrays are apart, and what only one side of a folder has", async () => {
  const npy = (...values: number[]) =>
    Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00\x46\x00", "latin1"),
      Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(70)),
      Buffer.from(Float32Array.from(values).buffer),
    ]);
  const safetensors = (tensors: { readonly [name: string]: readonly number[] }) => {
    let end = 0;
    const header = Object.entries(tensors).map(([name, { length }]) => {
      const data_offsets = [end, (end += 8 * length)];
      return [name, { dtype: "F64", shape: [length], data_offsets }];
    });
    const json = Buffer.from(
      JSON.stringify({ __metadata__: { a: "b" }, ...(Object.fromEntries(header) as object) }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([
      length,
      json,
      Buffer.from(Float64Array.from(Object.values(tensors).flat()).buffer),
    ]);
  };
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  copy: { cmd: "cp -r ${in}. ${out}", in: from/, out: to/ }\n',
  });
  const put = (path: string, content: Buffer | string) => {
    mkdirSync(project.path("from"), { recursive: true });
    writeFileSync(project.path(`from/${path}`), content);
  };
  put("a.npy", npy(1, 2, NaN, 4));
  put("b.safetensors", safetensors({ w: [0.5, 0.25], b: [1] }));
  put("c.csv", "name,dice\nx,0.5 low\ny,0.75\n");
  put("d.npy", npy(1, 2));
  put("gone.txt", "");
  await project.built();
  put("a.npy", npy(1, 2.5, NaN, 4));
  put("b.safetensors", safetensors({ w: [0.5, 1.25], c: [1] }));
  put("c.csv", "name,dice\nx,0.625 high\ny,0.75\n");
  put("d.npy", npy(1, 2, 3));
  project.remove("from/gone.txt");
  await project.built();
  const { stdout } = await project.lq("diff", "to/@1", "@2");
  expect(stdout.split("\n").filter((line) => line.includes("output"))).toEqual([
    "  output to/a.npy: 1 of 4 numbers differ, by at most 0.5",
    "  output to/b.safetensors: 1 of 2 numbers differ, by at most 1; 2 arrays differ",
    "  output to/c.csv: 1 line gone, 1 new; 1 of 2 numbers differ, by at most 0.125",
    "  output to/d.npy: 0 of 0 numbers differ, by at most 0; 1 array differs",
    "  output to/gone.txt: only before",
  ]);
});

test("trace tells of the runs that a table was made from, whatever has run since", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 3"));
  await project.built("scores/");
  const { stdout, stderr } = await project.lq("trace", "table.md", "--cell", "small");
  expect(stderr).toBe("table is stale now (lq why table.md); of its last run:\n");
  expect(stdout).toContain("small · Dice: mean 39\n");
  expect(stdout).toContain("param   penalty: 1\n");
  expect(stdout).not.toContain("build 2");
  // What is not on record any more is said to be so, and nothing else is told in its place.
  project.remove("cache/history");
  expect((await project.json("trace", "table.md", "--cell", "small"))[0]).toMatchObject({
    state: "stale",
    step: { from: [{ tasks: [{ task: "score:small", key: null }], params: [], from: [] }] },
  });
  project.remove("table.cells.json");
  expect((await project.lq("trace", "table.md", "--cell", "small")).stderr).toContain(
    "table.cells.json is not there",
  );
});

test("tasks that share what is stored under one key are each told of by their own names", async () => {
  const project = cliProject({
    ...FILES,
    "params.yaml": "penalty: 1\nmodels:\n  one: { width: 4 }\n  two: { width: 4 }\n",
    "pipeline.yaml": FILES["pipeline.yaml"]
      .replace('with: { penalty: "\${penalty}" }', 'with: { penalty: "\${models[model].width}" }')
      .replace("run: table.ts", 'cmd: "cat ${in}* > ${out}"')
      .replace("[table.md, table.cells.json]", "table.md"),
  });
  expect((await project.build({ slots: "gpu=1" })).summary).toMatchObject({ ran: 4, restored: 1 });
  for (const name of ["one", "two"]) {
    const { stdout } = await project.lq("trace", `scores/${name}.json`);
    expect(stdout).toContain(`param   models.${name}.width: 4\n`);
    expect(stdout).toContain(`output  models/${name}.txt\n`);
  }
  project.write("params.yaml", "penalty: 1\nmodels:\n  one: { width: 5 }\n  two: { width: 5 }\n");
  await project.build({ targets: ["models/"], slots: "gpu=1" });
  for (const name of ["one", "two"])
    expect((await project.json("why", `scores/${name}.json`))[0]).toMatchObject({
      causes: [
        {
          reasons: [
            { kind: "param", path: `models.${name}.width`, before: 4, after: 5 },
            { kind: "file", path: `models/${name}.txt`, change: "changed" },
          ],
        },
      ],
    });
});

test("trace says which cells there are, and refuses what it cannot follow", async () => {
  const project = await built();
  const strange = await project.lq("trace", "table.md", "--cell", "smal", "Dice");
  expect(strange).toMatchObject({ code: 2 });
  expect(strange.stderr).toContain('did you mean "small"?');
  expect((await project.lq("trace", "table.md", "--cell", "Dice")).stderr).toContain("2 cells are named");
  expect((await project.lq("trace", "scores/small.json", "--cell", "Dice")).stderr).toContain("does not say");
  expect((await project.lq("clean")).code).toBe(0);
  expect((await project.lq("trace", "table.md")).stderr).toContain("has not been built yet");
});

test("why of a fresh task tells why it last ran", async () => {
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

test("of an input of names, trace and diff tell the files that it names, and the tasks that made them", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  make:
    cmd: "echo made > \${out}"
    out: cases/made
  list:
    run: list.ts
    in: { cases: { names: cases/ } }
    out: list.txt
`,
    "list.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ names, output }) => writeFileSync(output(), names("cases").join()) });
`,
    "cases/a": "1",
  });
  await project.built();
  const { stdout } = await project.lq("trace", "list.txt");
  expect(stdout).toContain("  source  cases/a\n  make\n");

  project.write("cases/b", "2");
  project.write("cases/a", "other content counts for nothing");
  await project.built();
  expect((await project.lq("diff", "list.txt")).stdout).toBe(`list in build 1 → list now
list
  file cases/b added
  output list.txt: 1 line gone, 1 new
    - a,made
    + a,b,made
`);
});

function readTrace(project: CliProject, path: string): TraceEvent[] {
  return (JSON.parse(project.read(path)) as { traceEvents: TraceEvent[] }).traceEvents;
}

/** Times in µs. */
interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
}
