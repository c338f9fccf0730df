import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { cliProject } from "../helpers/cli.ts";

const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  name: { glob: "src/*.txt" }
rules:
  upper:
    each: { name: name }
    cmd: 'grep -q . \${in} || { echo empty; exit 1; }; tr a-z A-Z < \${in} > \${out}; echo read \${name}'
    in: "src/\${name}.txt"
    out: "upper/\${name}.txt"
  all:
    cmd: "cat \${in}*.txt > \${out}; echo \${suffix} >> \${out}"
    in: upper/
    out: all.txt
`,
  "params.yaml": "suffix: end\n",
  "src/a.txt": "a\n",
  "src/b.txt": "b\n",
};

describe("plain lines", () => {
  test("there is one for each task that did something, then the counts", async () => {
    const project = cliProject(FILES);
    const first = await project.lq("build", "-j", "1");
    expect(first.code).toBe(0);
    expect(first.stdout.split("\n").map((line) => line.replace(/\d+\.\d s/, "_ s"))).toEqual([
      expect.stringMatching(/^ran upper:[ab] \(_ s\): never built$/),
      expect.stringMatching(/^ran upper:[ab] \(_ s\): never built$/),
      "ran all (_ s): never built",
      "3 ran in _ s",
      "",
    ]);
    expect(project.read("all.txt")).toBe("A\nB\nend\n");
    expect((await project.lq("build")).stdout).toMatch(/^3 fresh in \d\.\d s\n$/);
    project.remove("upper/a.txt");
    expect((await project.lq("build")).stdout).toMatch(
      /^restored upper:a: output upper\/a.txt missing\n1 restored, 2 fresh in/,
    );
  });

  test("a dry run says what would run and does nothing", async () => {
    const project = cliProject(FILES);
    const { code, stdout } = await project.lq("build", "-n");
    expect(code).toBe(0);
    expect(stdout).toContain("would run upper:a: never built\n");
    expect(stdout).toMatch(/3 would run in/);
    expect(project.has("upper")).toBe(false);
  });

  test("quiet prints nothing if no task fails", async () => {
    expect(await cliProject(FILES).lq("build", "--quiet")).toEqual({ code: 0, stdout: "", stderr: "" });
  });
});

describe("failures", () => {
  test("exit code 1, the log's tail and its path; quiet shows them too", async () => {
    const project = cliProject({ ...FILES, "src/b.txt": "" });
    for (const flags of [[], ["--quiet"]]) {
      const { code, stdout } = await project.lq("build", "-k", ...flags);
      expect(code).toBe(1);
      expect(stdout).toContain("failed upper:b: exit code 1\n");
      expect(stdout).toContain("whole log: cache/logs/upper/b.log\n");
    }
    expect(project.has("upper/a.txt")).toBe(true);
    expect(project.has("all.txt")).toBe(false);
  });

  test("a broken pipeline: every error, with its place, from any folder of the project", async () => {
    const broken = FILES["pipeline.yaml"]
      .replace("cmd: 'grep", "comd: 'grep")
      .replace("in: upper/", "in: uper/");
    const project = cliProject({ "p/pipeline.yaml": broken, "p/params.yaml": "suffix: end\n" });
    const { code, stdout, stderr } = await project.lq("build", "-C", "p");
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("pipeline.yaml:8:5: error:");
    expect(stderr).toContain("  8 |     comd: 'grep");
    expect(stderr).toMatch(/ {2}hint: did you mean "cmd"\?/);
  });

  test("colour only if it is wanted", async () => {
    const project = cliProject({ "pipeline.yaml": "version: 2\n" });
    expect((await project.lq("status")).stderr).not.toContain("\x1b[");
    expect((await project.lq("status", "--color", "always")).stderr).toContain("\x1b[31m");
  });
});

describe("--json", () => {
  test("one event a line: tasks with outcome, reasons and seconds; the summary last", async () => {
    const project = cliProject(FILES);
    await project.lq("build");
    project.write("src/a.txt", "changed\n");
    const events = await project.json("build");
    const tasks = events.filter(({ type }) => type === "task");
    expect(tasks.map(({ task, outcome }) => [task, outcome]).sort()).toEqual([
      ["all", "ran"],
      ["upper:a", "ran"],
      ["upper:b", "fresh"],
    ]);
    expect(tasks.find(({ task }) => task === "upper:a")).toEqual({
      type: "task",
      task: "upper:a",
      outcome: "ran",
      reasons: [
        {
          kind: "file",
          path: "src/a.txt",
          change: "changed",
          before: sha256("a\n"),
          after: sha256("changed\n"),
        },
      ],
      seconds: expect.any(Number) as number,
    });
    expect(events[0]).toMatchObject({ type: "plan", tasks: 3, rules: { upper: 2, all: 1 } });
    expect(events.at(-1)).toEqual({
      type: "summary",
      ran: 2,
      uploaded: 0,
      downloaded: 0,
      restored: 0,
      accepted: 0,
      fresh: 1,
      failed: 0,
      skipped: 0,
      cancelled: 0,
      removed: 0,
      seconds: expect.any(Number) as number,
    });
  });

  test("each error of the request or the project is a line, with its place", async () => {
    const project = cliProject({ "pipeline.yaml": "version: 1\nrules:\n  r: { cmdd: x, out: [y] }\n" });
    expect(await project.json("status")).toEqual([
      {
        type: "error",
        message: 'rule "r" has none of "run", "cmd" and "script"',
        ...{ file: "pipeline.yaml", line: 3, column: 3, hint: "say what makes its outputs" },
      },
      {
        type: "error",
        message: 'unknown key "cmdd" in rule "r"',
        ...{ file: "pipeline.yaml", line: 3, column: 8, hint: 'did you mean "cmd"?' },
      },
    ]);
    expect(await project.json("build", "--jobs", "none")).toEqual([
      { type: "error", message: expect.stringContaining("'none' is invalid") as unknown },
    ]);
  });

  test("failed tasks say why; tasks that need them are skipped", async () => {
    const project = cliProject({ ...FILES, "src/b.txt": "" });
    const events = await project.json("build", "-k");
    expect(events).toContainEqual(
      expect.objectContaining({
        task: "upper:b",
        outcome: "failed",
        error: "exit code 1",
        command: expect.stringContaining("src/b.txt") as unknown,
      }),
    );
    expect(events).toContainEqual(expect.objectContaining({ task: "all", outcome: "skipped" }));
    expect(events.at(-1)).toMatchObject({ type: "summary", ran: 1, failed: 1, skipped: 1 });
  });
});

test("a request without flags, which needs no parser, is understood like one with flags", async () => {
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules: { a: { cmd: "touch ${out}", out: out/a.txt } }\n',
  });
  await project.built();
  for (const words of [
    ["build"],
    ["build", "out/", "a"],
    ["build", "b"],
    ["status"],
    ["status", "out/b.txt"],
  ]) {
    const [plain, parsed] = [await project.lq(...words), await project.lq(...words, "--color", "auto")];
    const timeless = ({ code, stdout, stderr }: typeof plain) => [
      code,
      stdout.replace(/[\d.]+ s/, ""),
      stderr,
    ];
    expect(timeless(plain)).toEqual(timeless(parsed));
  }
});

test("of thousands of errors, stderr has a hundred and --json all", async () => {
  const keys = Array.from({ length: 3000 }, (_, i) => `k${i}: 1`).join("\n");
  const project = cliProject({ "pipeline.yaml": `version: 1\n${keys}\nrules: {}\n` });
  const { code, stderr } = await project.lq("build");
  expect([code, stderr.match(/error: /g)?.length]).toEqual([2, 100]);
  expect(stderr).toMatch(/\n\nand 2900 more \(--json lists all\)\n$/);
  expect(await project.json("build")).toHaveLength(3000);
});
