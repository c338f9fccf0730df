/** A build of the tasks behind changed files must end like a build that looks at everything. */
import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { askSnapshot } from "../../src/snapshot/snapshot.ts";
import { Project, type Built, type Options } from "../helpers/project.ts";
import { cliProject } from "../helpers/cli.ts";
import { settle } from "../helpers/settle.ts";

const PIPELINE = `version: 1
params: params.yaml
axes:
  name: { glob: "src/*.txt" }
rules:
  lower: { each: [name], cmd: "tr A-Z a-z < \${in} > \${out}", in: "src/\${name}.txt", out: "lower/\${name}.txt" }
  head: { each: [name], cmd: "head -n \${lines} \${in} > \${out}", in: "lower/\${name}.txt", out: "head/\${name}.txt" }
  all: { cmd: "cat \${in}* > \${out}", in: head/, out: all.txt }
  copy: { cmd: "cp \${in} \${out}", in: extra.txt, out: copy.txt }
  split: { cmd: "while read -r line; do echo part > \${out}$line; done < \${in}", in: parts.txt, out: parts/ }
  count: { cmd: "ls parts | wc -l > \${out}", in: { names: parts/ }, out: count.txt }
  gather: { cmd: "ls \${in} > \${out}", in: parts/, out: gather.txt }
  items: { cmd: "{ echo '['; paste -sd, \${in}; echo ']'; } > \${out}", in: items.txt, out: items.json }
  item: { each: { item: { in: items.json, at: "[*]" } }, cmd: "echo \${item} > \${out}", out: "item/\${item}" }
`;
const FILES = {
  "pipeline.yaml": PIPELINE,
  "params.yaml": "lines: 1\n",
  "src/a.txt": "A\n",
  "src/b.txt": "B\n",
  "src/c.txt": "C\n",
  "extra.txt": "extra\n",
  "parts.txt": "x\ny\n",
  "items.txt": "1\n2\n",
};
const TASKS = 14;

/** A project whose tasks are all fresh, with a snapshot. */
async function builtWithSnapshot(files: { readonly [path: string]: string } = {}): Promise<Project> {
  const project = new Project({ ...FILES, ...files });
  await settle();
  await build(project);
  expect(hasSnapshot(project)).toBe(true);
  return project;
}

/** Builds like `lq build`, which asks the snapshot first. */
async function build(project: Project, options: Options = {}): Promise<Built> {
  await settle();
  const asked = askSnapshot(project.root, "all", process.env);
  return project.build({ ...options, snapshot: { request: "all", since: Date.now(), asked } });
}

function hasSnapshot(project: Project): boolean {
  return askSnapshot(project.root, "all", process.env)?.changed.length === 0;
}

/** The tasks that a build looked at, and whether it looked at nothing else. */
function lookedAt({ events }: Built): readonly string[] {
  return events.flatMap((event) => (event.type === "task" ? [event.task] : [])).sort();
}

describe("a build of changed files", () => {
  it("looks at the tasks behind one changed source and runs them, twice in a row", async () => {
    const project = await builtWithSnapshot();
    for (const [name, content] of [
      ["a", "NEW\n"],
      ["b", "ALSO\n"],
    ] as const) {
      project.write(`src/${name}.txt`, content);
      const built = await build(project);
      expect(built.ran).toEqual(["all", `head:${name}`, `lower:${name}`]);
      expect(lookedAt(built)).toEqual(built.ran);
      expect(built.summary).toMatchObject({ ran: 3, fresh: TASKS - 3 });
      expect(hasSnapshot(project)).toBe(true);
    }
    expect(project.read("all.txt")).toBe("new\nalso\nc\n");
    const { ran, restored } = await project.build();
    expect([ran, restored]).toEqual([[], []]);
  });

  it("leaves a valid snapshot when it puts an output beside a task module", async () => {
    const project = new Project({
      ...FILES,
      "pipeline.yaml": PIPELINE.replace('cmd: "cp \${in} \${out}"', "run: copy.ts"),
      "copy.ts": `import { copyFileSync } from "node:fs";
import { task } from "lq";
export default task({ run({ input, output }) { copyFileSync(input(), output()); } });
`,
    });
    // The first build finds new names beside the module.
    for (let round = 0; round < 2; round++) await build(project);
    expect(hasSnapshot(project)).toBe(true);
    for (const text of ["other\n", "another\n"]) {
      project.write("extra.txt", text);
      expect(lookedAt(await build(project))).toEqual(["copy"]);
      expect(project.read("copy.txt")).toBe(text);
      expect(hasSnapshot(project)).toBe(true);
    }
    // A file that another program puts there meanwhile may be a module.
    project.write("extra.txt", "last\n");
    await build(project, { listener: () => project.write("copy.tsx", "") });
    expect(hasSnapshot(project)).toBe(false);
  });

  it("stops after a task that ran again and wrote the same bytes", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "a\n");
    const built = await build(project);
    expect(built.ran).toEqual(["lower:a"]);
    expect(lookedAt(built)).toEqual(["all", "head:a", "lower:a"]);
    expect(hasSnapshot(project)).toBe(true);
  });

  it("finds a file that was only touched fresh, and remembers it", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "A\n");
    const built = await build(project);
    expect(built.ran).toEqual([]);
    expect(built.summary.fresh).toBe(TASKS);
    expect(lookedAt(built)).toEqual(["all", "head:a", "lower:a"]);
    expect(hasSnapshot(project)).toBe(true);
  });

  it("restores outputs of an earlier run", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "NEW\n");
    await build(project);
    project.write("src/a.txt", "A\n");
    const built = await build(project);
    expect([built.ran, built.restored]).toEqual([[], ["all", "head:a", "lower:a"]]);
    expect(lookedAt(built)).toEqual(built.restored);
    expect(project.read("all.txt")).toBe("a\nb\nc\n");
    expect(hasSnapshot(project)).toBe(true);
  });

  it("works for sources that no axis finds, too", async () => {
    const project = await builtWithSnapshot();
    project.write("extra.txt", "other\n");
    const built = await build(project);
    expect([built.ran, lookedAt(built)]).toEqual([["copy"], ["copy"]]);
    expect(hasSnapshot(project)).toBe(true);
  });

  it("looks at everything if more than contents has changed", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "NEW\nSECOND\n");
    project.write("params.yaml", "lines: 2\n");
    let built = await build(project);
    expect(built.ran).toEqual(["all", "head:a", "head:b", "head:c", "lower:a"]);
    expect(lookedAt(built)).toHaveLength(TASKS);
    expect(project.read("all.txt")).toBe("new\nsecond\nb\nc\n");

    project.write("src/a.txt", "AGAIN\n");
    project.remove("src/b.txt");
    built = await build(project);
    expect(built.ran).toEqual(["all", "head:a", "lower:a"]);
    expect(project.has("head/b.txt")).toBe(false);
    expect(project.read("all.txt")).toBe("again\nc\n");

    project.write("src/a.txt", "MORE\n");
    project.remove("head/c.txt");
    built = await build(project);
    expect([built.ran, built.restored]).toEqual([["all", "head:a", "lower:a"], ["head:c"]]);
    expect(project.read("all.txt")).toBe("more\nc\n");

    project.write("src/a.txt", "LAST\n");
    project.write("head/d.txt", "somebody's own\n");
    built = await build(project);
    expect(built.ran).toEqual(["all", "head:a", "lower:a"]);
    expect(project.read("all.txt")).toBe("last\nc\nsomebody's own\n");
  });

  it("uses the files that a folder has now, and updates tasks that read its names", async () => {
    const project = await builtWithSnapshot();
    project.write("parts.txt", "x\nz\nzz\n");
    const built = await build(project);
    expect([built.ran, lookedAt(built)]).toEqual([
      ["count", "gather", "split"],
      ["count", "gather", "split"],
    ]);
    expect(project.read("gather.txt")).toBe("x\nz\nzz\n");
    expect(project.read("count.txt").trim()).toBe("3");
    // There are files that the snapshot does not have.
    expect(hasSnapshot(project)).toBe(false);
    expect(lookedAt(await build(project))).toHaveLength(TASKS);
    expect(hasSnapshot(project)).toBe(true);
  });

  it("looks at everything if the graph may change", async () => {
    const project = await builtWithSnapshot();
    project.write("items.txt", "2\n3\n");
    const built = await build(project);
    expect(built.ran).toEqual(["item:3", "items"]);
    expect(project.has("item/1")).toBe(false);
  });

  it("refuses to overwrite an output that was edited too", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "NEW\n");
    project.write("head/a.txt", "by hand\n");
    await expect(build(project)).rejects.toThrow("head/a.txt was edited since lq wrote it");
    expect(project.read("head/a.txt")).toBe("by hand\n");
    const { ran } = await build(project, { force: true });
    expect(ran).toEqual(expect.arrayContaining(["all", "head:a", "lower:a"]));
    expect(project.read("all.txt")).toBe("new\nb\nc\n");
  });

  it("sees an edit of another task's output without an edit of a source", async () => {
    const project = await builtWithSnapshot();
    project.write("lower/a.txt", "by hand\n");
    await expect(build(project)).rejects.toThrow("lower/a.txt was edited since lq wrote it");
  });

  it("does not use an answer that is out of date", async () => {
    const project = await builtWithSnapshot();
    project.write("src/a.txt", "NEW\nSECOND\n");
    await settle();
    const asked = askSnapshot(project.root, "all", process.env);
    expect(asked?.changed).toHaveLength(1);
    project.write("params.yaml", "lines: 2\n");
    const snapshot = { request: "all", since: Date.now(), asked };
    expect((await project.build({ snapshot })).ran).toContain("head:b");
    // That build wrote records that the answer does not have.
    const built = await project.build({ snapshot });
    expect([built.ran, lookedAt(built).length]).toEqual([[], TASKS]);
  });

  it("leaves no valid snapshot when a task fails", async () => {
    const project = await builtWithSnapshot({
      "pipeline.yaml": PIPELINE.replace('cmd: "tr', 'cmd: "test ! -e fail; tr'),
    });
    project.write("src/a.txt", "NEW\n");
    project.write("fail", "");
    const built = await build(project, { keepGoing: true });
    expect(built.failed).toEqual(["lower:a"]);
    expect(built.summary).toMatchObject({ failed: 1, skipped: 2, fresh: TASKS - 3 });
    expect(hasSnapshot(project)).toBe(false);
    project.remove("fail");
    expect((await build(project)).ran).toEqual(["all", "head:a", "lower:a"]);
  });

  it("follows links in a folder, but not a link that has another target now", async () => {
    const pipeline = PIPELINE.replace("in: extra.txt", "in: data/").replace("cp ${in}", "cat ${in}*/* >");
    const project = new Project({ ...FILES, "pipeline.yaml": pipeline, "far/1": "one\n", "near/2": "two\n" });
    mkdirSync(project.path("data"));
    symlinkSync("../far", project.path("data/link"));
    await settle();
    await build(project);
    project.write("far/1", "changed\n");
    const built = await build(project);
    expect([built.ran, lookedAt(built)]).toEqual([["copy"], ["copy"]]);
    expect(project.read("copy.txt")).toBe("changed\n");
    project.remove("data/link");
    symlinkSync("../near", project.path("data/link"));
    expect((await build(project)).ran).toEqual(["copy"]);
    expect(project.read("copy.txt")).toBe("two\n");
  });
});

it("looks at everything after a build of changed files was killed", async () => {
  const pipeline = PIPELINE.replace('cmd: "head', 'cmd: "test ! -e hang || sleep 60; head');
  const project = cliProject({ ...FILES, "pipeline.yaml": pipeline });
  await settle();
  await project.lq("build");
  project.write("src/a.txt", "NEW\n");
  project.write("hang", "");
  await settle();
  const lq = project.start("build");
  await lq.line("ran lower:a");
  lq.kill("SIGKILL");
  await lq.ended;
  project.remove("hang");
  const { code, stdout } = await project.lq("build");
  expect(code).toBe(0);
  expect(stdout).toContain("ran head:a");
  expect(stdout).toMatch(`2 ran, ${TASKS - 2} fresh`);
  expect(project.read("all.txt")).toBe("new\nb\nc\n");
});
