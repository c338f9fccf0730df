/** lq replaces only what it made, or what its cache has; everything else is refused before anything runs. */
import { lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const FOLDER = `version: 1
rules:
  segment: { cmd: "touch ran; echo auto > \${out}/case1.txt", out: lab/ }
`;
const FILE = `version: 1
rules:
  segment: { cmd: "touch ran; echo auto > \${out}", out: lab }
`;
const FAN = `version: 1
rules:
  segment: { each: { case: [a, b] }, cmd: "touch ran; echo auto > \${out}", out: "lab/\${case}.txt" }
`;

const MINE = { "lab/case1.txt": "expert\n", "lab/notes.md": "notes\n" };

interface Case {
  readonly title: string;
  readonly files: { readonly [path: string]: string };
  readonly path: string;
  readonly prepare?: (project: CliProject) => unknown;
}

const CASES: readonly Case[] = [
  { title: "a folder", files: { "pipeline.yaml": FOLDER, ...MINE }, path: "lab/" },
  { title: "a single file", files: { "pipeline.yaml": FILE, lab: "expert\n" }, path: "lab" },
  {
    title: "one file of a fan-out",
    files: { "pipeline.yaml": FAN, "lab/b.txt": "mine\n" },
    path: "lab/b.txt",
  },
  { title: "a folder where a file must go", files: { "pipeline.yaml": FILE, ...MINE }, path: "lab" },
  { title: "a file where a folder must go", files: { "pipeline.yaml": FOLDER, lab: "mine\n" }, path: "lab/" },
  {
    title: "a file where a folder above must go",
    files: { "pipeline.yaml": FAN, lab: "mine\n" },
    path: "lab/a.txt",
  },
  {
    title: "a file put there after lq clean",
    files: { "pipeline.yaml": FOLDER },
    path: "lab/",
    prepare: async (project) => {
      await project.lq("build");
      await project.lq("clean");
      project.write("lab/case1.txt", "expert\n");
    },
  },
  {
    title: "an edited output after lq clean --cache",
    files: { "pipeline.yaml": FOLDER },
    path: "lab/",
    prepare: async (project) => {
      await project.lq("build");
      project.write("lab/case1.txt", "expert\n");
      await project.lq("clean", "--cache");
    },
  },
  {
    title: "an edited output after the state was lost",
    files: { "pipeline.yaml": FOLDER },
    path: "lab/",
    prepare: async (project) => {
      await project.lq("build");
      project.write("lab/case1.txt", "expert\n");
      project.remove("cache/state");
    },
  },
  {
    title: "an output that was kept as the user's when its rule was gone",
    files: { "pipeline.yaml": FOLDER },
    path: "lab/",
    prepare: async (project) => {
      await project.lq("build");
      project.write("lab/case1.txt", "expert\n");
      project.write(
        "pipeline.yaml",
        `version: 1\nrules:\n  other: { cmd: "echo 1 > \${out}", out: other.txt }\n`,
      );
      await project.lq("build");
      project.write("pipeline.yaml", FOLDER);
    },
  },
  {
    title: "a link to a folder",
    files: { "pipeline.yaml": FOLDER, "disk/keep.txt": "mine\n" },
    path: "lab/",
    prepare: (project) => symlinkSync("disk", project.path("lab")),
  },
];

test.each(CASES)("$title is kept, named in status and -n, and replaced only with -f", async (each) => {
  const project = cliProject(each.files);
  await each.prepare?.(project);
  if (project.has("ran")) project.remove("ran");
  const before = tree(project);
  const dry = await project.lq("build", "-n");
  expect(dry.stdout + dry.stderr).toContain(`would refuse: ${each.path}`);
  const { code, stderr } = await project.lq("build");
  expect([code, stderr]).toEqual([2, expect.stringContaining(each.path)]);
  expect([project.has("ran"), tree(project)]).toEqual([false, before]);
});

test("-f replaces them", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDER, ...MINE });
  expect((await project.lq("status")).stdout).toContain("output lab/ was not made by lq");
  expect((await project.lq("build", "-f")).code).toBe(0);
  expect([project.read("lab/case1.txt"), project.has("lab/notes.md")]).toEqual(["auto\n", false]);
});

test("an empty folder, and content that the cache has, are replaced", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDER });
  mkdirSync(project.path("lab"));
  expect((await project.lq("build")).code).toBe(0);
  project.remove("cache/state");
  expect((await project.lq("build")).code).toBe(0);
});

test("an output that changes its kind takes the place of what lq made", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDER });
  for (const pipeline of [FOLDER, FILE, FAN, FILE, FOLDER]) {
    project.write("pipeline.yaml", pipeline);
    expect((await project.lq("build")).code).toBe(0);
  }
  expect(project.read("lab/case1.txt")).toBe("auto\n");
});

test.each(["appears", "is edited"])(
  "a file that %s at an output's place while its task runs is kept, and the task fails",
  async (how) => {
    const project = cliProject({
      "in.txt": "1\n",
      "pipeline.yaml": `version: 1
rules:
  segment: { cmd: "cat \${in} > \${out}; [ ! -e disturb ] || echo mine > lab.txt", in: in.txt, out: lab.txt }
`,
    });
    if (how === "is edited") await project.built();
    project.write("in.txt", "2\n");
    project.write("disturb", "");
    const { code, stdout, stderr } = await project.lq("build");
    expect([code, stdout + stderr]).toEqual([
      1,
      expect.stringContaining("somebody wrote lab.txt while segment ran"),
    ]);
    expect(project.read("lab.txt")).toBe("mine\n");
  },
);

test("lq lock pull and lq run --record keep them too", async () => {
  const project = cliProject({ "pipeline.yaml": FOLDER.replace("out: lab/ }", "out: lab/, lock: true }") });
  await project.built();
  for (const prepare of [
    () => project.write("lab/case1.txt", "expert\n"),
    () => {
      mkdirSync(project.path("disk"));
      symlinkSync("disk", project.path("lab"));
    },
  ]) {
    project.remove("lab");
    prepare();
    const before = tree(project);
    const { code, stdout } = await project.lq("lock", "pull");
    expect([code, stdout]).toEqual([1, expect.stringContaining("edited or not made by lq, and kept")]);
    expect((await project.lq("run", "segment", "--record")).code).toBe(2);
    expect([tree(project), lstatSync(project.path("lab")).isSymbolicLink()]).toEqual([
      before,
      project.has("disk"),
    ]);
  }
  expect((await project.lq("run", "segment", "--record", "-f")).code).toBe(0);
  expect([project.read("lab/case1.txt"), project.has("disk")]).toEqual(["auto\n", true]);
});

/** Paths and contents of everything but lq's own folder. */
function tree(project: CliProject): readonly (readonly [string, string])[] {
  return readdirSync(project.root, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.startsWith("cache") && statSync(project.path(path)).isFile())
    .sort()
    .map((path) => [path, project.read(path)] as const);
}
