import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { cliProject } from "../helpers/cli.ts";

const COMMANDS = [
  "build",
  "accept",
  "status",
  "plan",
  "clean",
  "watch",
  "why",
  "graph",
  "log",
  "cache",
  "lock",
  "history",
  "report",
  "diff",
  "trace",
  "init",
  "completion",
];
const PIPELINE = 'version: 1\nrules:\n  hello:\n    cmd: "echo hello > ${out}"\n    out: hello.txt\n';

describe("help", () => {
  test("lists all commands except `complete`, which only shells call", async () => {
    const { code, stdout } = await cliProject({}).lq("--help");
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(stdout).not.toContain("complete ");
  });

  test.each(COMMANDS)("%s has examples and the common flags", async (command) => {
    const { code, stdout } = await cliProject({}).lq(command, "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n  lq ${command}`));
    for (const flag of [
      "-C,",
      "-j,",
      "-k,",
      "-n,",
      "-f,",
      "--profile",
      "--set",
      "--slots",
      "--json",
      "--quiet",
      "--color",
    ])
      expect(stdout).toContain(flag);
  });

  test("the version is the package's", async () => {
    expect((await cliProject({}).lq("--version")).stdout).toBe(`${manifest.version}\n`);
  });
});

describe("wrong requests end with exit code 2", () => {
  const cases: [string[], string][] = [
    [["biuld"], "Did you mean build?"],
    [["build", "--jbos", "2"], "Did you mean --jobs?"],
    [["build", "-j", "none"], "Give a whole number, 1 or more."],
    [["build", "--color", "sometimes"], "auto, always, never"],
    [["graph", "--format", "png"], "dot, mermaid, json"],
    [["completion", "tcsh"], "bash, zsh, fish"],
    [["why"], "missing required argument 'target'"],
    [["build", "helo"], 'did you mean "hello"?'],
    [["log", "helo"], 'did you mean "hello"?'],
    [["build", "--profile", "paper"], 'unknown profile "paper"'],
    [["build", "--set", "a.b=1"], 'no param "a"'],
    [["build", "--slots", "gpu"], "--slots"],
    [["build", "-C", "/nowhere/at/all"], "there is no pipeline.yaml in /nowhere/at/all"],
    [[], "Usage: lq"],
  ];
  test.each(cases)("lq %j", async (words, message) => {
    const { code, stdout, stderr } = await cliProject({ "pipeline.yaml": PIPELINE }).lq(...words);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("where the project is", () => {
  test("the nearest pipeline.yaml upwards; targets are relative to the current folder", async () => {
    const project = cliProject({
      "a/pipeline.yaml": PIPELINE.replace("hello.txt", "out/hello.txt"),
      "a/out/x": "",
    });
    const { code, stdout } = await project.lq("-C", "a/out", "build", "hello.txt");
    expect(code).toBe(0);
    expect(stdout).toContain("ran hello");
    expect(project.read("a/out/hello.txt")).toBe("hello\n");
  });

  test("flags may stand before the command", async () => {
    const project = cliProject({ "a/pipeline.yaml": PIPELINE });
    expect((await project.lq("--json", "-j", "1", "-C", "a", "build")).stdout).toContain('"outcome":"ran"');
  });
});
