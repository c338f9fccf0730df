/** Failures of the system: lq says what failed and ends properly, and the next build is right. */
import { chmodSync, lstatSync, readdirSync, symlinkSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { canBeOthers, cliProject } from "../helpers/cli.ts";
import { settle } from "../helpers/settle.ts";

const USER = 4711;
const others = test.skipIf(!canBeOthers());

const module = (text: string): string => `import { writeFileSync } from "node:fs";
import { task } from "lq";
${text}
export default task({ run: ({ output }) => writeFileSync(output(), "done") });
`;

test("a compiler that was killed is reported", async () => {
  const project = cliProject({
    "pipeline.yaml": "version: 1\nrules: { made: { run: made.ts, out: made.txt } }\n",
    "made.ts": module(""),
  });
  vi.stubEnv("ESBUILD_BINARY_PATH", "/bin/false");
  const { code, stderr } = await project.lq("build");
  vi.unstubAllEnvs();
  expect(code).toBe(2);
  expect(stderr).toContain("error: made.ts could not be compiled: esbuild was ended, or cannot be started");
  expect(stderr).not.toContain("    at ");
  expect((await project.lq("build")).code).toBe(0);
});

/** Opens files until no more can be opened, just before the compiler is started. */
const FULL = `const child = require("node:child_process");
const { openSync } = require("node:fs");
const { spawn } = child;
child.spawn = (program, ...rest) => {
  if (!program.includes("esbuild")) return spawn(program, ...rest);
  try { for (;;) openSync("/dev/null"); } catch {}
  return spawn(program, ...rest);
};
require("node:module").syncBuiltinESMExports();
`;

test("too many open files for starting the compiler are reported", async () => {
  const project = cliProject({
    "pipeline.yaml": "version: 1\nrules: { made: { run: made.ts, out: made.txt } }\n",
    "made.ts": module(""),
    "full.cjs": FULL,
  });
  const { code, stderr } = await project.lqIn(
    { NODE_OPTIONS: `--require ${project.path("full.cjs")}` },
    "build",
  );
  expect(code).toBe(2);
  expect(stderr).toContain("error: made.ts could not be compiled");
  expect(stderr).not.toContain("    at ");
});

others("code that cannot be read is named where it is imported", async () => {
  const project = cliProject(
    {
      "pipeline.yaml": "version: 1\nrules: { made: { run: made.ts, out: made.txt } }\n",
      "made.ts": module('import "./part.ts";'),
      "part.ts": "",
    },
    USER,
  );
  chmodSync(project.path("part.ts"), 0);
  const { code, stderr } = await project.lq("build");
  expect(code).toBe(2);
  expect(stderr).toContain("made.ts:3:8: error: part.ts cannot be read: permission denied");
});

others("an output that cannot be read is said to be that, not edited, and is left as it is", async () => {
  const rules = {
    file: `{ cmd: "echo 1 > \${out}", out: file }`,
    tree: `{ cmd: "echo 1 > \${out}x", out: tree/ }`,
    inner: `{ cmd: "echo 1 > \${out}", out: closed/inner }`,
    loop: `{ cmd: "echo 1 > \${out}", out: loop }`,
    link: `{ cmd: "echo 1 > \${out}", out: link }`,
  };
  const pipeline = (names: readonly (keyof typeof rules)[]): string =>
    ["version: 1", "rules:", ...names.map((name) => `  ${name}: ${rules[name]}\n`)].join("\n");
  const project = cliProject({ "pipeline.yaml": pipeline(["file", "tree", "inner", "loop", "link"]) }, USER);
  expect((await project.lq("build")).code).toBe(0);
  const closed = ["file", "tree/x", "closed"];
  for (const path of closed) chmodSync(project.path(path), 0);
  for (const [path, target] of [
    ["loop", "loop"],
    ["link", "closed/inner"],
  ] as const) {
    project.remove(path);
    symlinkSync(target, project.path(path));
  }
  const refusals = [
    "file cannot be read: permission denied",
    "tree/x cannot be read: permission denied",
    "closed/inner cannot be read: permission denied",
    "loop cannot be read: it is a loop of symbolic links",
    "link cannot be read: permission denied",
  ];

  const status = await project.json("status");
  expect(status.flatMap(({ reasons }) => reasons ?? [])).toEqual(
    ["file", "tree/", "closed/inner", "loop", "link"].map((path, i) => {
      return { kind: "output-unreadable", path, why: refusals[i] };
    }),
  );
  const told = [];
  for (const words of [["status"], ["build"], ["clean", "-n"], ["clean"]]) {
    const { code, stdout, stderr } = await project.lq(...words);
    told.push(code);
    for (const refusal of refusals) expect(stdout + stderr, words.join(" ")).toContain(refusal);
    expect(stdout + stderr).not.toContain("edited");
  }
  expect(told).toEqual([0, 2, 0, 0]);
  expect((await project.json("clean", "-n"))[0]).toMatchObject({
    removed: [],
    kept: [],
    unreadable: refusals.toSorted().map((why) => ({ why })),
  });

  // An output that its task no longer makes stays until lq can read it.
  for (const name of ["file", "inner", "loop", "link"] as const)
    rules[name] = rules[name].replace("out: ", "out: next/");
  project.write("pipeline.yaml", pipeline(["file", "tree", "inner", "loop", "link"]));
  chmodSync(project.path("tree/x"), 0o644);
  await settle();
  const orphaned = await project.lq("build");
  expect(orphaned.code).toBe(0);
  for (const refusal of refusals.filter((each) => !each.startsWith("tree")))
    expect(orphaned.stdout + orphaned.stderr).toContain(`no task makes it any more, but ${refusal}`);
  chmodSync(project.path("closed"), 0o755);
  expect((await project.lq("build")).stdout).toContain("removed closed/inner, which no task makes any more");
  expect(
    ["file", "loop", "closed/inner"].map(
      (path) => lstatSync(project.path(path), { throwIfNoEntry: false }) !== undefined,
    ),
  ).toEqual([true, true, false]);

  chmodSync(project.path("tree/x"), 0);
  expect((await project.lq("build", "-f")).code).toBe(0);
  expect(project.read("tree/x")).toBe("1\n");
});

test("without bash a command fails, and says so", async () => {
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules: { made: { cmd: "touch ${out}", out: made.txt } }\n',
  });
  vi.stubEnv("PATH", project.root);
  const { code, stdout } = await project.lq("build");
  vi.unstubAllEnvs();
  expect(code).toBe(1);
  expect(stdout).toContain("failed made: cannot start bash: there is no such program");
});

describe("a signal also ends the work before the first task:", () => {
  test.each([
    ["a module that never loads", "run: made.ts, with: { value: 1 }"],
    ["a tool that never answers", 'cmd: "touch ${out}", tools: "touch asked; sleep 1000"'],
  ])("%s", async (_, action) => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules: { made: { ${action}, out: made.txt } }\n`,
      "made.ts": module('writeFileSync("asked", "");\nfor (;;);'),
    });
    const lq = project.start("build");
    await expect.poll(() => project.has("asked")).toBe(true);
    lq.kill("SIGTERM");
    expect((await lq.ended).code).toBe(143);
    expect(project.has("cache/lock")).toBe(false);
  });
});

describe("folders without write permission for their owner", () => {
  others("are put in place, replaced and cleaned, and left behind by nobody", async () => {
    const project = cliProject(
      {
        "pipeline.yaml": `version: 1
params: params.yaml
rules:
  inner: { cmd: "mkdir \${out}d; echo \${v} > \${out}d/f; chmod 555 \${out}d", out: inner/, with: { v: "\${v}" } }
  outer: { cmd: "echo \${v} > \${out}f; chmod 555 \${out}", out: outer/, with: { v: "\${v}" } }
  kept: { cmd: "mkdir \${scratch}/d; echo > \${scratch}/d/f; chmod 555 \${scratch}/d; echo > \${out}", out: kept, resume: true }
  bad: { cmd: "mkdir \${out}d; echo > \${out}d/f; chmod 0 \${out}d; exit 3", out: bad/, retries: 1 }
`,
        "params.yaml": "v: 1\n",
      },
      USER,
    );
    expect((await project.json("build", "-k")).at(-1)).toMatchObject({ ran: 3, failed: 1 });
    project.write("params.yaml", "v: 2\n");
    expect((await project.json("build", "-k")).at(-1)).toMatchObject({ ran: 2, fresh: 1, failed: 1 });
    expect([project.read("inner/d/f"), project.read("outer/f")]).toEqual(["2\n", "2\n"]);
    expect(readdirSync(project.path("cache/scratch"))).toEqual([]);
    expect(project.has("cache/staging")).toBe(false);
    expect((await project.lq("clean")).code).toBe(0);
    expect(["inner", "outer", "kept"].filter((path) => project.has(path))).toEqual([]);
  });
});

others("an error that ends the build waits for the tasks that run", async () => {
  const project = cliProject(
    {
      "pipeline.yaml": `version: 1
rules:
  slow: { cmd: "until test -e go; do sleep 0.02; done; test -e cache/lock; echo > \${out}", out: slow }
  first: { cmd: "tr -d ' ' < \${in} > \${out}", in: in.txt, out: first }
  next: { cmd: "cat \${in} > \${out}", in: first, out: next }
`,
      "in.txt": "1",
    },
    USER,
  );
  await project.lq("build", "next");
  const [run] = await project.json("history", "next");
  const action = project.path(`cache/actions/${String(run?.["key"]).replace(/^../, "$&/")}.json`);
  project.write("in.txt", "2");
  await project.lq("build", "next");
  // `slow` fails when the project is no longer this build's. `next` comes back to what is on record, but cannot be read
  // there: that turns out while another task runs.
  project.write("in.txt", "1 ");
  chmodSync(action, 0);
  const lq = project.start("build", "--json", "-j", "2");
  // lq looks at `next` as soon as it has said this, and only then at what else has happened.
  await lq.line('"task":"first","outcome":"ran"');
  project.write("go", "");
  const { code, stdout, stderr } = await lq.ended;
  expect([code, stderr]).toEqual([2, expect.stringContaining(`cannot open ${action}: permission denied`)]);
  expect(stdout).toContain('"task":"slow","outcome":"ran"');
  chmodSync(action, 0o644);
  expect((await project.json("build")).at(-1)).toMatchObject({ restored: 1, failed: 0 });
  expect(project.read("next")).toBe("1");
});
