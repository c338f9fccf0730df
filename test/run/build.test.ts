import { statSync, truncateSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { status } from "../../src/plan/status.ts";
import { Project } from "../helpers/project.ts";

const COPIES = `version: 1
params: params.yaml
axes:
  name: { keys: names }
rules:
  copy:
    each: { name: name }
    cmd: "cat \${in} > \${out}; echo \${names[name].suffix} >> \${out}"
    in: "src/\${name}.txt"
    out: "out/\${name}.txt"
  upper:
    each: { name: name }
    cmd: "tr a-z A-Z < \${in} > \${out}"
    in: "out/\${name}.txt"
    out: "upper/\${name}.txt"
  join:
    cmd: "cat \${in}/*.txt > \${out}"
    in: upper/
    out: all.txt
default: [all.txt]
`;

function copies(): Project {
  return new Project({
    "pipeline.yaml": COPIES,
    "params.yaml": "names: { a: { suffix: x }, b: { suffix: y } }\n",
    "src/a.txt": "one\n",
    "src/b.txt": "two\n",
  });
}

describe("build", () => {
  it("runs each task once, after the tasks that it needs", async () => {
    const project = copies();
    const first = await project.build();
    expect(first.ran).toEqual(["copy:a", "copy:b", "join", "upper:a", "upper:b"]);
    expect(project.read("all.txt")).toBe("ONE\nX\nTWO\nY\n");
    const second = await project.build();
    expect(second.summary).toMatchObject({ ran: 0, restored: 0, fresh: 5, failed: 0, skipped: 0 });
  });

  it("runs exactly the tasks behind an edit, and restores their outputs when the edit is undone", async () => {
    const project = copies();
    await project.build();
    project.write("src/a.txt", "three\n");
    const edited = await project.build();
    expect(edited.ran).toEqual(["copy:a", "join", "upper:a"]);
    project.write("src/a.txt", "one\n");
    const undone = await project.build();
    expect(undone.ran).toEqual([]);
    expect(undone.restored).toEqual(["copy:a", "join", "upper:a"]);
    expect(project.read("all.txt")).toBe("ONE\nX\nTWO\nY\n");
    const param = await project.build({ set: ["names.b.suffix=z"] });
    expect(param.ran).toEqual(["copy:b", "join", "upper:b"]);
  });

  it("runs nothing behind a task that ran again and wrote the same bytes", async () => {
    const project = copies();
    await project.build();
    project.write("src/a.txt", "ONE\n");
    const built = await project.build();
    expect(built.ran).toEqual(["copy:a", "upper:a"]);
    expect(built.summary.fresh).toBe(3);
  });

  it("builds the targets asked for and what they need", async () => {
    const project = copies();
    expect((await project.build({ targets: ["upper/a.txt"] })).ran).toEqual(["copy:a", "upper:a"]);
    await expect(project.build({ targets: ["uper"] })).rejects.toThrow('nothing makes "uper"');
  });

  it("applies a glob of task ids to tasks that appear when the graph expands", async () => {
    const project = new Project({
      "pipeline.yaml": `version: 1
rules:
  list: { cmd: "echo '[a1, a2, b1]' > \${out}", out: list.yaml }
  each: { each: { item: { in: list.yaml, at: "[*]" } }, cmd: "echo \${item} > \${out}", out: "each/\${item}" }
  other: { cmd: "echo > \${out}", out: other.txt }
`,
    });
    expect((await project.build({ targets: ["each:a*"] })).ran).toEqual(["each:a1", "each:a2", "list"]);
    project.remove("cache");
    project.remove("each");
    expect((await project.build({ targets: ["*:b1"], force: true })).ran).toEqual(["each:b1", "list"]);
    await expect(project.build({ targets: ["each:c*"] })).rejects.toThrow('nothing makes "each:c*"');
  });

  it("restores deleted outputs from the cache", async () => {
    const project = copies();
    await project.build();
    project.remove("upper/b.txt");
    const built = await project.build();
    expect([built.ran, built.restored]).toEqual([[], ["upper:b"]]);
    expect(project.has("upper/b.txt")).toBe(true);
  });

  it("does not overwrite outputs whose records were deleted with the cache, unless forced", async () => {
    const project = copies();
    await project.build();
    project.remove("cache");
    await expect(project.build()).rejects.toThrow("all.txt was not made by lq");
    expect((await project.build({ force: true })).ran).toHaveLength(5);
  });

  it("with force runs the named targets again, and not the tasks before them", async () => {
    const project = copies();
    await project.build();
    const built = await project.build({ targets: ["upper/a.txt"], force: true });
    expect(built.ran).toEqual(["upper:a"]);
  });

  it("refuses to overwrite an edited output before anything runs, unless forced", async () => {
    const project = copies();
    await project.build();
    project.write("upper/a.txt", "mine\n");
    project.write("src/b.txt", "changed\n");
    await expect(project.build()).rejects.toThrow("upper/a.txt was edited since lq wrote it");
    expect(project.read("out/b.txt")).toBe("two\ny\n");
    expect(project.read("upper/a.txt")).toBe("mine\n");
    await project.build({ force: true });
    expect(project.read("upper/a.txt")).toBe("ONE\nX\n");
  });

  // As after a power cut that lost the last records.
  it("does not count an output without a record as edited if the cache has its content", async () => {
    const project = copies();
    await project.build();
    const log = project.path("cache/state/log");
    const { size } = statSync(log);
    project.write("src/a.txt", "changed\n");
    expect((await project.build()).ran).toEqual(["copy:a", "join", "upper:a"]);
    truncateSync(log, size);
    const built = await project.build();
    expect([built.ran, built.restored]).toEqual([[], ["copy:a", "join", "upper:a"]]);
    project.write("upper/b.txt", project.read("upper/a.txt"));
    expect((await project.build()).restored).toEqual(["upper:b"]);
  });

  it("does what a dry run and status said before", async () => {
    const project = copies();
    const states = async () =>
      Object.fromEntries((await status(project.request())).map(({ id, freshness }) => [id, freshness.state]));
    expect(await states()).toMatchObject({ "copy:a": "missing", "upper:a": "pending", join: "pending" });
    await project.build();
    project.write("src/a.txt", "three\n");
    await project.build();
    project.write("src/a.txt", "one\n");
    project.write("src/b.txt", "four\n");
    expect(await states()).toEqual({
      "copy:a": "restorable",
      "upper:a": "restorable",
      "copy:b": "stale",
      "upper:b": "pending",
      join: "pending",
    });
    const dry = await project.build({ dryRun: true });
    expect([dry.ran, dry.restored]).toEqual([
      ["copy:b", "join", "upper:b"],
      ["copy:a", "upper:a"],
    ]);
    expect(project.read("out/b.txt")).toBe("two\ny\n");
    const built = await project.build();
    expect([built.ran, built.restored]).toEqual([dry.ran, dry.restored]);
    const reasons = dry.events.flatMap((e) => (e.type === "task" && e.task === "copy:b" ? e.reasons : []));
    expect(reasons).toMatchObject([{ kind: "file", path: "src/b.txt", change: "changed" }]);
  });

  it("removes outputs of tasks that are gone, and keeps those that a user edited", async () => {
    const project = copies();
    await project.build();
    project.write("params.yaml", "names: { b: { suffix: y } }\n");
    const built = await project.build();
    expect(built.ran).toEqual(["join"]);
    expect(project.read("all.txt")).toBe("TWO\nY\n");
    expect([project.has("out/a.txt"), project.has("upper/a.txt")]).toEqual([false, false]);

    project.write("upper/b.txt", "mine\n");
    project.write("params.yaml", "names: { a: { suffix: x } }\n");
    const kept = await project.build();
    expect(kept.notices).toContain(
      "kept upper/b.txt: no task makes it any more, but it was edited; it is yours now",
    );
    expect(project.read("all.txt")).toBe("ONE\nX\nmine\n");
    expect((await project.build()).summary.fresh).toBe(3);
  });

  it("waits for another build, and then finds everything fresh", async () => {
    const project = copies();
    const [first, second] = await Promise.all([project.build(), project.build()]);
    expect(first.ran.length + second.ran.length).toBe(5);
    expect([...first.notices, ...second.notices]).toEqual([
      expect.stringContaining(`waiting for another build (process ${process.pid})`),
    ]);
    expect(Math.max(first.summary.fresh, second.summary.fresh)).toBe(5);
  });
});
