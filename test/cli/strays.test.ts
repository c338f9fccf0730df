/** Files that never count in folders: they make nothing stale, are in no key, and lq never removes them. */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const PIPELINE = `version: 1
rules:
  make: { cmd: "echo make >> ran; cat \${in}*.py > \${out}a.txt; cp \${out}a.txt \${out}b.txt", in: lib/, out: made/ }
  read: { cmd: "echo read >> ran; cat \${in}a.txt > \${out}", in: made/, out: read.txt }
  other: { cmd: "echo other >> ran; cat \${in} > \${out}", in: other.in, out: other.txt }
`;
const FILES = { "lib/x.py": "x\n", "other.in": "1\n", "pipeline.yaml": PIPELINE };

const STRAYS = [
  ".x.py.swp",
  "x.py.swo",
  "x.py~",
  ".#x.py",
  "#x.py#",
  ".~lock.a.csv#",
  ".DS_Store",
  "._x.py",
  "Thumbs.db",
  ".ipynb_checkpoints/x-checkpoint.ipynb",
  ".pytest_cache/v/lastfailed",
  ".git/HEAD",
  "deep/er/.git/objects/ab/cd",
];
/** Nobody misses bytecode: it goes with the folder. */
const BYTECODE = "__pycache__/x.cpython-311.pyc";

async function summary(project: CliProject, ...words: string[]) {
  return (await project.json("build", ...words)).at(-1);
}

test("strays in inputs and outputs change nothing and stay", async () => {
  const project = cliProject(FILES);
  await project.built();
  for (const name of [...STRAYS, BYTECODE])
    for (const folder of ["lib", "made"]) project.write(`${folder}/${name}`, `${folder} ${name}\n`);
  const there = (): readonly string[] =>
    STRAYS.filter((name) => project.has(`made/${name}`) && project.read(`made/${name}`) === `made ${name}\n`);
  expect((await project.lq("status")).stdout).toMatch(/^all 3 tasks fresh\n/);
  expect(await summary(project)).toMatchObject({ ran: 0, restored: 0, fresh: 3 });
  // The folder is made again, with another content, and restored with the first one.
  project.write("lib/x.py", "y\n");
  expect(await summary(project)).toMatchObject({ ran: 2, fresh: 1 });
  expect([there(), project.read("made/b.txt")]).toEqual([STRAYS, "y\n"]);
  project.write("lib/x.py", "x\n");
  expect(await summary(project)).toMatchObject({ ran: 0, restored: 2, fresh: 1 });
  expect([there(), project.read("made/b.txt"), project.has("made/__pycache__")]).toEqual([
    STRAYS,
    "x\n",
    false,
  ]);
  await project.lq("clean");
  expect([there(), project.has("made/a.txt")]).toEqual([STRAYS, false]);
  expect(await summary(project)).toMatchObject({ ran: 0, restored: 3 });
  expect(there()).toEqual(STRAYS);
  // Nor do they matter for what no task makes any more.
  project.write(
    "pipeline.yaml",
    PIPELINE.replace("out: made/", "out: next/").replace("in: made/", "in: next/"),
  );
  expect(await summary(project)).toMatchObject({ ran: 2, removed: 1 });
  expect([there(), project.has("made/a.txt")]).toEqual([STRAYS, false]);
});

test("a swap file that comes while a task runs costs no run", async () => {
  const project = cliProject({
    ...FILES,
    "pipeline.yaml": PIPELINE.replace("echo make >> ran;", "echo make >> ran; touch lib/.x.py.swp;"),
  });
  expect(await summary(project)).toMatchObject({ ran: 3, failed: 0 });
  expect(project.read("ran").split("\n").sort()).toEqual(["", "make", "other", "read"]);
});

test("bytecode in a folder that a rule makes does not count", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  package: { cmd: "echo 1 > \${out}m.py; mkdir \${out}__pycache__; date +%N > \${out}__pycache__/m.pyc", out: pkg/ }
  use: { cmd: "echo use >> ran; date +%N > pkg/__pycache__/m.pyc; cat \${in}m.py > \${out}", in: pkg/, out: use.txt }
`,
  });
  expect(await summary(project)).toMatchObject({ ran: 2, failed: 0 });
  expect(await summary(project)).toMatchObject({ ran: 0, fresh: 2 });
  expect(await summary(project, "-f", "package")).toMatchObject({ ran: 1 });
  expect(await summary(project)).toMatchObject({ ran: 0, fresh: 2 });
  expect(project.read("ran")).toBe("use\n");
});

describe("ignore: in pipeline.yaml", () => {
  const ignoring = (...patterns: readonly string[]): string =>
    PIPELINE.replace("rules:", `ignore: ${JSON.stringify(patterns)}\nrules:`);

  test("takes patterns as .gitignore has them, for inputs and outputs", async () => {
    const project = cliProject({
      ...FILES,
      "pipeline.yaml": ignoring("*.log", "/lib/tmp/", "!lib/keep.log"),
    });
    await project.built();
    for (const path of ["lib/a.log", "lib/tmp/x", "made/sub/b.log"]) project.write(path, "stray\n");
    expect(await summary(project)).toMatchObject({ ran: 0, fresh: 3 });
    project.write("lib/keep.log", "counts\n");
    expect(await summary(project)).toMatchObject({ ran: 1, fresh: 2 });
    expect(project.read("made/sub/b.log")).toBe("stray\n");
  });

  test("lets files of lq's own list count", async () => {
    const project = cliProject({ ...FILES, "pipeline.yaml": ignoring("!*~") });
    await project.built();
    project.write("lib/x.py~", "counts\n");
    expect(await summary(project)).toMatchObject({ ran: 1, fresh: 2 });
  });

  test("is in no key", async () => {
    const project = cliProject(FILES);
    await project.built();
    project.write("pipeline.yaml", ignoring("*.log"));
    expect(await summary(project)).toMatchObject({ ran: 0, fresh: 3 });
  });

  test("leaves what a task makes under such a name in place and in the cache, and lets it differ", async () => {
    const project = cliProject({
      ...FILES,
      "pipeline.yaml": ignoring("*.log").replace("cp ", "date +%N > ${out}run.log; cp "),
    });
    await project.built();
    const log = project.read("made/run.log");
    project.write("made/run.log", "mine\n");
    expect(await summary(project)).toMatchObject({ ran: 0, fresh: 3 });
    // Another content of the task's own would replace it: that is refused, and the file named.
    project.write("lib/x.py", "y\n");
    const { code, stdout } = await project.lq("build");
    expect([code, stdout]).toEqual([1, expect.stringContaining("somebody wrote made/run.log")]);
    expect(project.read("made/run.log")).toBe("mine\n");
    project.write("lib/x.py", "x\n");
    project.remove("made");
    expect(await summary(project)).toMatchObject({ ran: 0, restored: 1 });
    expect(project.read("made/run.log")).toBe(log);
  });
});

test("ignore: of one input is relative to its folder, and counts for this input alone", async () => {
  const project = cliProject({
    "lib/x.py": "x\n",
    "lib/sub/y.py": "y\n",
    "pipeline.yaml": `version: 1
rules:
  code: { cmd: "echo code >> ran; touch lib/new.log; find lib -name '*.py' | sort > \${out}", in: { lib: { path: lib/, ignore: ["/data/", "*.log"] } }, out: code.txt }
  python: { cmd: "echo python >> ran; find lib -name '*.py' | sort > \${out}", in: { lib: { path: lib/, ignore: ["*", "!*/", "!*.py"] } }, out: python.txt }
  names: { cmd: "echo names >> ran; ls lib > \${out}", in: { lib: { names: lib/, ignore: "*.log" } }, out: names.txt }
`,
  });
  expect(await summary(project)).toMatchObject({ ran: 3, failed: 0 });
  project.remove("ran");
  project.write("lib/sub/a.log", "1\n");
  expect(await summary(project)).toMatchObject({ ran: 0, fresh: 3 });
  project.write("lib/data/big.bin", "1\n");
  expect(await summary(project)).toMatchObject({ ran: 1, fresh: 2 });
  project.write("lib/sub/z.txt", "1\n");
  expect(await summary(project)).toMatchObject({ ran: 2, fresh: 1 });
  project.write("lib/sub/y.py", "yy\n");
  expect(await summary(project)).toMatchObject({ ran: 2, fresh: 1 });
  expect(project.read("ran").split("\n").sort()).toEqual(["", "code", "code", "names", "names", "python"]);
  project.write(
    "pipeline.yaml",
    `version: 1\nrules:\n  a: { cmd: "cat \${in} > \${out}", in: { x: { path: lib/x.py, ignore: a } }, out: a.txt }\n`,
  );
  expect((await project.lq("build")).stderr).toContain(
    '"ignore" is for files in a folder, and "lib/x.py" does not end in "/"',
  );
});

describe("a file that may count, in an output folder", () => {
  test("stops nothing, is named each time, and is read with the folder", async () => {
    const project = cliProject(FILES);
    await project.built();
    project.write("made/notes.md", "mine\n");
    project.write("other.in", "2\n");
    const told = "made/notes.md is in an output folder of make, which did not make it";
    expect((await project.lq("build", "-n")).stdout).toContain(told);
    const { code, stdout } = await project.lq("build");
    expect([code, stdout]).toEqual([0, expect.stringContaining(told)]);
    expect(project.read("ran")).toBe(
      "make\nread\nother\n".replace("make\nread\nother\n", project.read("ran")),
    );
    expect(
      project
        .read("ran")
        .split("\n")
        .filter((line) => line === "make"),
    ).toHaveLength(1);
    expect(project.read("other.txt")).toBe("2\n");
    for (const words of [["status"], ["build"]]) expect((await project.lq(...words)).stdout).toContain(told);
    expect(project.read("made/notes.md")).toBe("mine\n");
  });

  test("is never replaced: its task is refused, and the file named", async () => {
    const project = cliProject(FILES);
    await project.built();
    project.write("made/notes.md", "mine\n");
    project.write("lib/x.py", "y\n");
    const { code, stderr } = await project.lq("build");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("made/notes.md was not made by lq, and make would replace it"),
    ]);
    project.remove("made/notes.md");
    project.write("made/a.txt", "edited\n");
    expect((await project.lq("build")).stderr).toContain("made/a.txt was edited since lq wrote it");
    expect((await project.lq("status")).stdout).toContain("output made/a.txt was edited by hand");
    expect((await project.lq("clean", "made/")).stdout).toContain(
      "kept made/: made/a.txt was edited since lq wrote it",
    );
  });

  test("so is a link that leads nowhere", async () => {
    const project = cliProject(FILES);
    await project.built();
    symlinkSync("/nowhere", project.path("made/link"));
    project.write("lib/x.py", "y\n");
    expect((await project.lq("build")).stderr).toContain("made/link was not made by lq");
  });
});

test("a stray keeps its folder from becoming a file", async () => {
  const project = cliProject(FILES);
  await project.built();
  project.write("made/.git/HEAD", "mine\n");
  project.write("pipeline.yaml", `version: 1\nrules:\n  make: { cmd: "echo 1 > \${out}", out: made }\n`);
  const { code, stderr } = await project.lq("build");
  expect([code, stderr]).toEqual([2, expect.stringContaining("made/.git/HEAD was not made by lq")]);
  expect(project.read("made/.git/HEAD")).toBe("mine\n");
});

test("a folder that has only strays is taken as an output, with them", async () => {
  const project = cliProject(FILES);
  mkdirSync(project.path("made"));
  project.write("made/.git/HEAD", "mine\n");
  expect(await summary(project)).toMatchObject({ ran: 3, failed: 0 });
  expect([project.read("made/.git/HEAD"), existsSync(project.path("made/a.txt"))]).toEqual(["mine\n", true]);
});
