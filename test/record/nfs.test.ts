/** Builds on a file system that behaves like NFS, with one fault at the worst moment. test/torture/nfs.test.ts has random faults. */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { actionsIn, objectsIn } from "../../src/store/contents.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { mannersOf, NFS_CLIENT, type Manners } from "../helpers/nfs-client.ts";

const PIPELINE = `version: 1
rules:
  copy: { cmd: [cp, "\${in}", "\${out}"], in: in.txt, out: copy.txt }
  tree: { cmd: "cp \${in} \${out}x; mkdir \${out}sub; echo more > \${out}sub/y", in: copy.txt, out: tree/ }
  join: { JOIN, in: tree/, out: all/join.txt }
`;
const BY_COMMAND = 'cmd: "cat ${in}sub/y ${in}x > ${out}"';
const BY_MODULE = "run: join.ts";
const JOIN = `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ files, output }) {
    writeFileSync(output(), files().map(({ path }) => readFileSync(path, "utf8")).join(""));
  },
});
`;

describe.skipIf(NFS_CLIENT === null)("on a file system that behaves like NFS", () => {
  it.each([
    ["copy", BY_MODULE],
    ["hardlink", BY_COMMAND],
    ["symlink", BY_COMMAND],
  ])(
    "a build is right where every change is answered as if it was asked for twice (%s)",
    async (kind, join) => {
      const project = projectOf(`cache: { link: [${kind}] }\n`, join);
      for (const content of ["one", "two"]) {
        project.write("in.txt", `${content}\n`);
        await buildRight(project, { faults: ["replay"] }, content);
      }
      for (const output of ["copy.txt", "tree", "all"]) project.remove(output);
      const stdout = await buildRight(project, { faults: ["replay"] }, "two");
      expect(stdout).toContain("3 restored in");
      expect((await on(project, { faults: ["replay"] }, "cache", "verify")).code).toBe(0);
    },
  );

  it("refuses a project's folder without hard links, but not a cache without them", async () => {
    const project = projectOf("cache: { link: [hardlink, reflink, copy], folder: store }\n");
    const { code, stderr } = await on(project, { faults: ["nolink"] }, "build");
    expect([code, stderr]).toEqual([2, expect.stringContaining("has no hard links (EMLINK)")]);
    mkdirSync(project.path("store"));
    const store = { faults: ["nolink"], folder: project.path("store") } as const;
    await buildRight(project, store, "one");
  });

  it.each([
    [0, "the disk is full"],
    [1, "the disk is full"],
    [2, "the disk reports an error"],
  ])("what is lost at the end of writing is not stored (%i)", async (seed, why) => {
    const project = projectOf();
    const late = { faults: ["late"], only: "close /objects/", seed } as const;
    const { code, stdout, stderr } = await on(project, late, "build");
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(`copy: cannot close: ${why}`)]);
    expect([...objectsIn(project.path("cache"))]).toEqual([]);
    await builtPlainly(project);
  });

  it("losing a part of a log loses nothing else", async () => {
    const project = projectOf("", BY_MODULE);
    project.write("join.ts", JOIN.replace("writeFileSync(", 'console.log("told");\n    writeFileSync('));
    const late = { faults: ["late"], only: "close /cache/logs/" } as const;
    await buildRight(project, late, "one");
    expect(project.read("cache/logs/join/join.log")).not.toBe("told\n");
  });

  it("reports lost records, and the next build writes them again", async () => {
    const project = projectOf();
    const late = { faults: ["late"], only: "close /cache/state/log", seed: 0 } as const;
    const { code, stderr } = await on(project, late, "build");
    expect([code, stderr]).toEqual([2, expect.stringContaining("cannot close: the disk is full")]);
    await builtPlainly(project);
  });

  it("moves folders away that hold a file which a program still reads", async () => {
    const project = projectOf();
    await builtPlainly(project);
    const file = openSync(project.path("tree/sub/y"), "r");
    project.write("in.txt", "two\n");
    await buildRight(project, { faults: ["silly"] }, "two");
    expect(readdirSync(project.path("cache/staging"))).toContainEqual(expect.stringMatching(/^aside-/));
    closeSync(file);
    project.write("in.txt", "three\n");
    await buildRight(project, { faults: ["silly"] }, "three");
    expect(project.has("cache/staging")).toBe(false);
  });

  it("starts an attempt in an empty folder, even if the attempt before left files open", async () => {
    const project = cliProject({
      "pipeline.yaml": "version: 1\nrules:\n  tree: { run: tree.ts, out: tree/, retries: 1 }\n",
      "tree.ts": `import { openSync, writeFileSync } from "node:fs";
import { task } from "lq";
let attempt = 0;
export default task({
  run({ output }) {
    if (attempt++ === 0) { openSync(output() + "left", "w"); throw new Error("the first attempt"); }
    writeFileSync(output() + "made", "");
  },
});
`,
    });
    const { code, stdout, stderr } = await on(project, { faults: ["silly"] }, "build");
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("1 ran")]);
    expect(readdirSync(project.path("tree"))).toEqual(["made"]);
  });

  it("does not count a removed file as content that a client keeps for a reader", async () => {
    const project = projectOf();
    await builtPlainly(project);
    for (const folder of ["tree", "cache/objects/ab"]) {
      mkdirSync(project.path(folder), { recursive: true });
      project.write(`${folder}/.nfs00000000012345670000000a`, "removed");
    }
    expect((await project.lq("build")).stdout).toContain("3 fresh");
    expect((await project.lq("cache", "verify")).code).toBe(0);
  });

  it.each(["/objects/", "/actions/", "/cache/lock"])(
    "what another machine replaces while it is read is read again (%s)",
    async (part) => {
      const project = projectOf();
      await builtPlainly(project);
      const stale = { faults: ["estale"], only: `read ${part}`, most: 1 } as const;
      expect((await on(project, stale, "cache", "verify")).code).toBe(0);
      for (const output of ["copy.txt", "tree", "all"]) project.remove(output);
      expect(await buildRight(project, stale, "one")).toContain("3 restored in");
    },
  );

  it("reads a source again that another machine replaces during the read", async () => {
    const stale = { faults: ["estale"], only: "read /in.txt", most: 1 } as const;
    await buildRight(projectOf(), stale, "one");
  });

  it("reads the list of what other projects need again and does not skip it", async () => {
    const project = projectOf("cache: { folder: store }\n");
    await builtPlainly(project);
    const [list = ""] = readdirSync(project.path("store/needed"));
    const [, ...names] = project.read(`store/needed/${list}`).split("\n");
    // Pretend that these are the needs of a project on another machine with old files.
    const owner = JSON.stringify({ host: "another", root: "/there" });
    writeFileSync(project.path("store/needed/other"), [owner, ...names].join("\n"));
    rmSync(project.path(`store/needed/${list}`));
    rmSync(project.path("cache"), { recursive: true });
    const stale = { faults: ["estale", "skewed"], skew: -10_000, only: "read /needed/", most: 1 } as const;
    const { code, stderr } = await on(project, stale, "cache", "gc", "--keep-days", "0");
    expect([code, stderr]).toEqual([0, ""]);
    expect([...actionsIn(project.path("store"))]).toHaveLength(3);
  });

  it("makes an object again that exists only in the memory of the client", async () => {
    const project = projectOf();
    await builtPlainly(project);
    for (const output of ["copy.txt", "tree", "all"]) project.remove(output);
    const remembering = remembered(project);
    expect((await on(project, remembering, "status")).stdout).toContain("restorable");
    project.remove("cache/objects");
    await buildRight(project, remembering, "one");
  });

  it("replaces an output that this machine does not see yet", async () => {
    const project = projectOf();
    const remembering = { ...remembered(project), only: "stat /tree" } as const;
    await project.built("copy");
    expect((await on(project, remembering, "status")).stdout).toContain("never built (tree)");
    await builtPlainly(project);
    expect(await buildRight(project, remembering, "one")).toContain("1 restored");
  });

  it("puts an output in place again of which this machine sees only a part", async () => {
    const project = projectOf();
    await builtPlainly(project);
    const remembering = { ...remembered(project), only: "scandir /tree/" } as const;
    expect(await buildRight(project, remembering, "one")).toContain("1 restored");
  });
});

/**
 * @param head further lines of pipeline.yaml
 * @param join the command of the last task
 */
function projectOf(head = "", join = BY_COMMAND): CliProject {
  const pipeline = PIPELINE.replace("rules:", `${head}rules:`).replace("JOIN", () => join);
  return cliProject({ "pipeline.yaml": pipeline, "in.txt": "one\n", "join.ts": JOIN });
}

/** Runs lq. The whole project is on the server unless the options say otherwise. */
function on(project: CliProject, manners: Omit<Manners, "folder"> & Partial<Manners>, ...words: string[]) {
  return project.lqIn(mannersOf({ folder: project.root, ...manners }), ...words);
}

/** A client that caches attributes for a long time. */
function remembered(project: CliProject) {
  return { faults: ["cached"], client: project.path("cache/client"), milliseconds: 60_000 } as const;
}

/** @returns what it printed */
async function buildRight(
  project: CliProject,
  manners: Omit<Manners, "folder"> & Partial<Manners>,
  word: string,
): Promise<string> {
  const { code, stdout, stderr } = await on(project, manners, "build");
  expect([code, stderr]).toEqual([0, ""]);
  expectRight(project, word);
  return stdout;
}

/** On an ordinary file system. */
async function builtPlainly(project: CliProject): Promise<void> {
  await project.built();
  expectRight(project, "one");
}

function expectRight(project: CliProject, word: string): void {
  expect(project.read("all/join.txt")).toBe(`more\n${word}\n`);
  expect(readdirSync(project.path("tree"))).toEqual(["sub", "x"]);
}
