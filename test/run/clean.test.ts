import { describe, expect, it } from "vitest";
import { clean, type CleanRequest } from "../../src/run/clean.ts";
import { Project } from "../helpers/project.ts";

async function built(): Promise<Project> {
  const project = new Project({
    "pipeline.yaml": `version: 1
axes: { name: [a, b] }
rules:
  copy: { each: { name: name }, cmd: "cp \${in} \${out}", in: "\${name}.txt", out: "out/deep/\${name}.txt" }
  tree: { cmd: "echo 1 > \${out}x; mkdir \${out}y; echo 2 > \${out}y/z", out: tree/ }
`,
    "a.txt": "a",
    "b.txt": "b",
    "out/mine.txt": "mine",
  });
  await project.build();
  return project;
}

const run = (project: Project, request: Partial<CleanRequest> = {}) =>
  clean({ ...project.request(), ...request });

describe("clean", () => {
  it("removes what lq wrote, keeps edited outputs and files of others, and forgets that it built", async () => {
    const project = await built();
    project.write("out/deep/a.txt", "edited");
    expect(await run(project, { dryRun: true })).toEqual({
      removed: ["out/deep/b.txt", "tree/"],
      kept: ["out/deep/a.txt"],
      edits: ["out/deep/a.txt"],
      unreadable: [],
      cache: false,
    });
    expect(project.has("tree/y/z")).toBe(true);
    await run(project);
    const left = ["out/deep/a.txt", "out/deep/b.txt", "out/mine.txt", "tree", "a.txt"];
    expect(left.map((path) => project.has(path))).toEqual([true, false, true, false, true]);
    project.remove("out/deep/a.txt");
    expect((await project.build()).restored).toEqual(["copy:a", "copy:b", "tree"]);
    expect(project.read("tree/y/z")).toBe("2\n");
  });

  it("keeps a directory to which a user added a file", async () => {
    const project = await built();
    project.write("tree/added", "");
    expect((await run(project)).kept).toEqual(["tree/"]);
    expect(project.has("tree/added")).toBe(true);
  });

  it.each([["out/"], ["copy"], ["copy:*"], ["out/deep/*.txt"], ["copy:a", "out/deep/b.txt"]])(
    "takes targets: %s",
    async (...targets) => {
      const project = await built();
      expect((await run(project, { targets })).removed).toEqual(["out/deep/a.txt", "out/deep/b.txt"]);
      expect([project.has("out/deep"), project.has("tree/x")]).toEqual([false, true]);
    },
  );

  it("makes a task restorable when it removes one of two outputs, and status names that as the reason", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1\nrules:\n  two: { cmd: "touch \${out}", out: [x, y] }\n`,
    });
    await project.build();
    await run(project, { targets: ["y"] });
    expect([project.has("x"), project.has("y")]).toEqual([true, false]);
    const { restored, events } = await project.build();
    expect(restored).toEqual(["two"]);
    expect(events.flatMap((event) => (event.type === "task" ? event.reasons : []))).toEqual([
      { kind: "declaration", what: "lq removed an output of the last run" },
      { kind: "output-missing", path: "y" },
    ]);
  });

  it("drops the cache when asked to", async () => {
    const project = await built();
    expect((await run(project, { cache: true })).cache).toBe(true);
    expect([project.has("cache/objects"), project.has("cache/lock"), project.has("out/deep")]).toEqual([
      false,
      false,
      false,
    ]);
    expect((await project.build()).ran).toEqual(["copy:a", "copy:b", "tree"]);
  });

  it("creates no file where nothing was built", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1\nrules:\n  x: { cmd: "touch \${out}", out: x }\n`,
    });
    expect(await run(project)).toEqual({ removed: [], kept: [], edits: [], unreadable: [], cache: false });
    expect(project.has("cache")).toBe(false);
  });
});
