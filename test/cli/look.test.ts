/** The commands that only look: status, why, log, graph; and clean. */
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  model: { keys: models }
  case: ["1", "2", "3"]
rules:
  predict:
    each: { model: model, case: case }
    run: predict.ts
    with: { width: "\${models[model].width}" }
    in: "images/\${case}.txt"
    out: "labels/\${model}/\${case}.txt"
  table:
    cmd: "cat \${in}*/*.txt > \${out}"
    in: labels/
    out: table.md
`,
  "predict.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({
  params,
  run({ input, output, params, log }) {
    log("width " + params.width);
    writeFileSync(output(), readFileSync(input(), "utf8") + params.width + "\\n");
  },
});
`,
  "params.yaml": "models:\n  small: { width: 4 }\n  large: { width: 8 }\n",
  "images/1.txt": "1\n",
  "images/2.txt": "2\n",
  "images/3.txt": "3\n",
};

async function built(): Promise<CliProject> {
  const project = cliProject(FILES);
  await project.built();
  return project;
}

test("status groups tasks with one cause, with the values before and after", async () => {
  const project = await built();
  expect((await project.lq("status")).stdout).toBe("all 7 tasks fresh\n");
  project.write("params.yaml", FILES["params.yaml"].replace("width: 4", "width: 6"));
  project.write("images/2.txt", "two\n");
  const { stdout } = await project.lq("status");
  expect(stdout).toContain("  predict  2 fresh, 4 stale\n");
  expect(stdout).toContain("  table    1 pending\n");
  expect(stdout).toMatch(/ {2}stale: params models\.small\.width: 4 → 6 \(\d tasks, predict:small\/\d …\)\n/);
  expect(stdout).toContain("file images/2.txt changed");
  expect(stdout).toMatch(/\n2 fresh, 4 stale, 1 pending\n$/);
});

test("status agrees with the build that follows, and says what the cache has", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("width: 4", "width: 6"));
  const states = (await project.json("status")).map(({ task, state }) => [task, state] as const);
  const outcomes = new Map((await project.json("build")).map(({ task, outcome }) => [task, outcome]));
  const expected = { fresh: "fresh", stale: "ran", pending: "ran" } as const;
  expect(states.length).toBe(7);
  for (const [task, state] of states)
    expect([task, outcomes.get(task)]).toEqual([task, expected[state as "fresh"]]);

  project.write("params.yaml", FILES["params.yaml"]);
  const { stdout } = await project.lq("status");
  expect(stdout).toContain("  predict  3 fresh, 3 restorable\n");
  expect(stdout).toContain("restorable: params models.small.width: 6 → 4 (3 tasks");
  expect((await project.lq("build")).stdout).toMatch(/\n4 restored, 3 fresh in/);
});

test("why goes from the target to what changed", async () => {
  const project = await built();
  expect((await project.lq("why", "table.md")).stdout).toContain("table is fresh");
  const set = ["--set", "models.large.width=9"];
  const { stdout } = await project.lq("why", "table.md", ...set);
  expect(stdout.split("\n")).toEqual([
    "table waits for 3 tasks",
    expect.stringMatching(/^ {2}predict:large\/\d and 2 more of predict are stale$/),
    "    params models.large.width: 8 → 9",
    "",
  ]);
  const [line] = await project.json("why", "table", ...set);
  expect(line).toMatchObject({
    type: "why",
    task: "table",
    chain: [{ state: "pending" }, { state: "stale" }],
  });
});

test("why shows every cause with digests and new values, also behind restorable tasks and later runs", async () => {
  const project = await built();
  const why = async (...words: string[]) =>
    (await project.lq("why", "table.md", ...words)).stdout.split("\n");
  const small = FILES["params.yaml"].replace("width: 4", "width: 5");
  // A source, a param and an axis value change at once.
  project.write("params.yaml", `${small}  huge: { width: 9 }\n`);
  project.write("images/2.txt", "two\n");
  const change = "file images/2.txt changed: 53c234e5e847 → 27dd8ed44a83";
  expect(await why()).toEqual([
    "table waits for 7 tasks",
    "  predict:huge/1 and 2 more of predict are missing",
    "    never built: model huge is new",
    "  predict:large/2 is stale",
    `    ${change}`,
    "  predict:small/1 and 1 more of predict are stale",
    "    params models.small.width: 4 → 5",
    "  predict:small/2 is stale",
    "    params models.small.width: 4 → 5",
    `    ${change}`,
    "",
  ]);
  const [json] = await project.json("why", "table.md");
  expect(json?.causes).toHaveLength(7);
  // A source was removed.
  project.write("images/2.txt", "2\n");
  project.write("params.yaml", "models:\n  small: { width: 4 }\n");
  expect((await why()).slice(0, 2)).toEqual([
    "table is stale",
    expect.stringMatching(
      /^ {2}file labels\/large\/1.txt removed: [0-9a-f]{12} → \(none\); predict:large\/1 is no task any more$/,
    ),
  ]);
  // Outputs that the cache has, and outputs that a build of another target has made since.
  project.write("params.yaml", small);
  await project.built();
  project.write("params.yaml", FILES["params.yaml"]);
  const chain = ["  predict:small/1 and 2 more of predict", "    params models.small.width: 5 → 4", ""];
  expect((await why()).slice(-3)).toEqual([
    `${chain[0]} are restorable: the cache has what it would make`,
    ...chain.slice(1),
  ]);
  await project.built("labels/");
  expect((await why()).slice(-3)).toEqual([
    expect.stringMatching(/^ {2}predict:small\/1 and 2 more of predict were restored in build 3, .*, for$/),
    ...chain.slice(1),
  ]);
  await project.built();
  expect((await why()).slice(0, 2)).toEqual([
    "table is fresh: nothing that it depends on has changed",
    expect.stringMatching(/^ {2}it last was restored in build 4, /),
  ]);
});

test("why cuts long values around the difference, and shows values that differ in type or spaces as they are", async () => {
  const long = (middle: string) => `${"a".repeat(100)} ${middle} ${"z".repeat(100)}`;
  const rule = "rules: { r: { cmd: 'echo ${a} > ${out}', out: out.txt } }";
  const project = cliProject({
    "pipeline.yaml": `version: 1\nparams: params.yaml\n${rule}\n`,
    "params.yaml": `a: ${long("1")}\n`,
  });
  await project.built();
  const why = async () => (await project.lq("why", "r")).stdout.split("\n")[1];
  project.write("params.yaml", `a: ${long("2")}\n`);
  const [head, tail] = ["a".repeat(19), "z".repeat(38)];
  expect(await why()).toBe(`  params a: …${head} 1 ${tail}… → …${head} 2 ${tail}…`);

  project.write("pipeline.yaml", `version: 1\nparams: params.yaml\n${RUN_RULE}\n`);
  project.write("run.ts", RUN);
  project.write("params.yaml", 'a: { b: 1, c: "x y" }\n');
  await project.built();
  project.write("params.yaml", 'a: { b: "1", c: "x y" }\n');
  expect(await why()).toBe('  params a.b: 1 → "1"');
  project.write("params.yaml", 'a: { b: 1, c: "x  y" }\n');
  expect(await why()).toBe('  params a.c: "x y" → "x  y"');
  project.write("params.yaml", 'a: { b: null, c: "x y" }\n');
  expect(await why()).toBe("  params a.b: 1 → null");
});

const RUN_RULE = "rules: { r: { run: run.ts, with: { a: '${a}' }, out: out.txt } }";
const RUN = `import { writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({ params, run: ({ output, params }) => writeFileSync(output(), JSON.stringify(params)) });
`;

test("log prints what a task printed; its path goes to stderr", async () => {
  const project = await built();
  const { code, stdout, stderr } = await project.lq("log", "labels/small/1.txt");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "width 4\n" });
  expect(stderr).toContain("predict:small/1: cache/logs/predict/small,1.log");
  expect((await project.lq("log", "table")).code).toBe(2);
});

test("graph draws tasks, or rules when there are many", async () => {
  const project = await built();
  expect((await project.lq("graph")).stdout).toMatch(/^flowchart LR\n/);
  const dot = (await project.lq("graph", "--format", "dot")).stdout;
  expect(dot).toContain('"predict:small/1" -> "table";');
  expect(await project.json("graph", "table")).toMatchObject([{ type: "graph", expansions: [] }]);
  const graph = JSON.parse((await project.lq("graph", "table", "--format", "json")).stdout) as {
    tasks: unknown[];
  };
  expect(graph.tasks).toContainEqual({
    id: "predict:small/1",
    rule: "predict",
    inputs: ["images/1.txt"],
    outputs: ["labels/small/1.txt"],
    needs: [],
  });

  project.write(
    "pipeline.yaml",
    `version: 1\naxes: { i: ['<b a="#1">\\&amp;\`x\`'] }\nrules:\n  make: { each: [i], cmd: "touch \${out}", out: "made/\${i}" }\n`,
  );
  expect((await project.lq("graph")).stdout).toContain(
    '  n0["make:#60;b a=#34;#35;1#34;#62;#92;#38;amp;#96;x#96;"]\n',
  );
  expect((await project.lq("graph", "--format", "dot")).stdout).toContain(
    '  "make:<b a=\\"#1\\">\\\\&amp;`x`" [label="make:<b a=\\"#1\\">\\\\&amp;amp;`x`"];\n',
  );

  const many = Array.from({ length: 201 }, (_, i) => `"${i}"`).join(", ");
  project.write(
    "pipeline.yaml",
    `version: 1\naxes: { i: [${many}] }\nrules:\n  make: { each: { i: i }, cmd: "touch \${out}", out: "made/\${i}" }\n`,
  );
  expect((await project.lq("graph")).stdout).toContain('["make (201)"]');
  expect((await project.lq("graph", "--tasks")).stdout.split("\n").length).toBeGreaterThan(201);
});

test("clean removes what lq wrote and keeps what a person edited", async () => {
  const project = await built();
  project.write("labels/small/1.txt", "mine\n");
  expect((await project.lq("clean", "-n")).stdout).toContain("would remove table.md\n");
  expect(project.has("table.md")).toBe(true);
  const { stdout } = await project.lq("clean");
  expect(stdout).toContain("kept labels/small/1.txt: edited since lq wrote it\n");
  expect(stdout).toContain("6 outputs removed, 1 kept\n");
  expect([project.has("table.md"), project.read("labels/small/1.txt")]).toEqual([false, "mine\n"]);
  expect(project.has("images/1.txt")).toBe(true);
});
