/** A snapshot must answer what a build that looks at everything would find. */
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { SNAPSHOT } from "../../src/model/layout.ts";
import { askSnapshot } from "../../src/snapshot/snapshot.ts";
import { Project } from "../helpers/project.ts";
import { settle } from "../helpers/settle.ts";

const PIPELINE = `version: 1
params: params.yaml
axes:
  name: { glob: "src/*.txt" }
  deep: { glob: "deep/**/*.txt" }
rules:
  copy: { each: [name], cmd: "cat \${in} > \${out}", in: "src/\${name}.txt", out: "out/\${name}.txt" }
  list: { each: [deep], cmd: "cat \${in} > \${out}", in: "deep/\${deep}.txt", out: "list/\${deep}.txt" }
  split: { cmd: "cp \${in} \${out}/a; cp \${in} \${out}/b", in: "src/one.txt", out: "parts/" }
  all: { cmd: "ls -R \${in.data} > \${out}", in: { data: "data/", parts: "parts/" }, out: "all.txt", env: [LQ_SNAPSHOT_TEST], with: { n: "\${n}" } }
`;

let project: Project;
/** How many tasks the snapshot says are fresh. */
const freshTasks = (request = "all"): number | null => {
  const asked = askSnapshot(project.root, request, process.env);
  return asked?.changed.length === 0 ? asked.snapshot.head.tasks : null;
};

async function build(options: { readonly targets?: readonly string[] } = {}) {
  return project.build({ ...options, snapshot: { request: "all", since: Date.now() } });
}

beforeEach(async () => {
  delete process.env["LQ_SNAPSHOT_TEST"];
  project = new Project({
    "pipeline.yaml": PIPELINE,
    "params.yaml": "n: 1\n",
    "src/one.txt": "one\n",
    "src/two.txt": "two\n",
    "deep/a/x.txt": "x\n",
    "data/1": "1\n",
    "data/below/2": "2\n",
  });
  mkdirSync(project.path("elsewhere"));
  symlinkSync("../elsewhere", project.path("data/link"));
  await settle();
  await build();
});

describe("a snapshot", () => {
  it("is valid after a build that ran everything, and after one that found everything fresh", async () => {
    expect(freshTasks()).toBe(5);
    project.write("src/one.txt", "other\n");
    await settle();
    const { ran } = await build();
    expect(ran).toEqual(["all", "copy:one", "split"]);
    expect(freshTasks()).toBe(5);
    appendFileSync(project.path("pipeline.yaml"), "# a comment\n");
    await settle();
    expect(freshTasks()).toBeNull();
    expect((await build()).summary.fresh).toBe(5);
    expect(freshTasks()).toBe(5);
  });

  it.each<[string, () => void]>([
    ["a source", () => project.write("src/one.txt", "ONE\n")],
    [
      "a source that keeps size and mtime",
      () => {
        project.write("src/one.txt", "ONE\n");
        utimesSync(project.path("src/one.txt"), 1, 1);
      },
    ],
    ["the pipeline", () => appendFileSync(project.path("pipeline.yaml"), "\n")],
    ["the params", () => project.write("params.yaml", "n: 2\n")],
    ["an output", () => project.write("out/one.txt", "by hand\n")],
    ["a file in an output", () => project.write("parts/a", "by hand\n")],
    ["a file put into an output", () => project.write("parts/c", "by hand\n")],
    ["an output removed", () => project.remove("out/one.txt")],
    ["a file put where an axis looks", () => project.write("src/three.txt", "three\n")],
    ["a file put where an axis looks, in a new folder", () => project.write("deep/b/c/y.txt", "y\n")],
    ["a source renamed", () => renameSync(project.path("src/two.txt"), project.path("src/three.txt"))],
    ["a file put into a folder that is an input", () => project.write("data/3", "3\n")],
    ["a file put below a folder that is an input", () => project.write("data/below/4", "4\n")],
    ["a file put behind a link in a folder that is an input", () => project.write("elsewhere/5", "5\n")],
    ["an environment variable that is part of a key", () => (process.env["LQ_SNAPSHOT_TEST"] = "set")],
    ["what lq has on record", () => appendFileSync(project.path("cache/state/log"), "x")],
  ])("does not hold after a change of %s", (_, change) => {
    expect(freshTasks()).toBe(5);
    change();
    expect(freshTasks()).toBeNull();
  });

  it.each<[string, () => void]>([
    ["put into it", () => project.write("tree/2/new", "")],
    ["removed from it", () => project.remove("tree/2/file")],
    ["of a name that it had before", () => project.write("tree/1/file", "")],
  ])("holds after a folder gave way to one with other names, until something is %s", async (_, change) => {
    project.write("name.txt", "1");
    project.write(
      "pipeline.yaml",
      'version: 1\nrules:\n  tree: { cmd: "d=${out}/$(cat ${in}); mkdir $d; : > $d/file", in: name.txt, out: tree/ }\n',
    );
    await settle();
    await build();
    project.write("name.txt", "2");
    await settle();
    expect((await build()).ran).toEqual(["tree"]);
    expect(freshTasks()).toBe(1);
    change();
    expect(freshTasks()).toBeNull();
  });

  it("is not written if such a folder changed during the build", async () => {
    project.write("name.txt", "1");
    const tree = 'tree: { cmd: "d=${out}/$(cat ${in}); mkdir $d; : > $d/file", in: name.txt, out: tree/ }';
    const late = 'late: { cmd: ": > tree/2/own; : > ${out}", in: tree/2/file, out: late }';
    project.write("pipeline.yaml", `version: 1\nrules:\n  ${tree}\n`);
    await settle();
    await build();
    project.write("name.txt", "2");
    project.write("pipeline.yaml", `version: 1\nrules:\n  ${tree}\n  ${late}\n`);
    await settle();
    expect((await build()).ran).toEqual(["late", "tree"]);
    expect(freshTasks()).toBeNull();
  });

  it("is not valid for another request", () => {
    expect(freshTasks("another")).toBeNull();
  });

  it("is not written if a task failed, a file is too new, or a rule names tools", async () => {
    project.write("src/one.txt", "young\n");
    await build({ targets: ["out/two.txt"] });
    project.write("pipeline.yaml", PIPELINE.replace("cat ${in} >", "false ${in} >"));
    await settle();
    expect((await build()).failed).not.toEqual([]);
    expect(freshTasks()).toBeNull();
    project.write("pipeline.yaml", PIPELINE.replace("copy: {", "copy: { tools: [echo 1],"));
    await settle();
    expect((await build()).failed).toEqual([]);
    expect(freshTasks()).toBeNull();
  });

  it("is ignored if it is damaged at any place", () => {
    const file = project.path(SNAPSHOT);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at += at < 24 ? 1 : 29) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      writeFileSync(file, flipped);
      expect(freshTasks(), `byte ${at} flipped`).toBeNull();
      writeFileSync(file, whole.subarray(0, at));
      expect(freshTasks(), `cut at byte ${at}`).toBeNull();
    }
  });
});
