/** The store: builds with a broken store, and `lq cache` verify, gc and stats. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { chooseGarbage, removeGarbage } from "../../src/store/collect.ts";
import { canBeOthers, cliProject, type CliProject } from "../helpers/cli.ts";
import { age, build, clean, filesIn, objectOf, project, RULES } from "./cache-project.ts";

describe("a build", () => {
  test.each(["a folder", "a loop of links"])(
    "makes an object or action again if %s is in its place",
    async (what) => {
      const of = project();
      await build(of, "out/");
      const [action] = filesIn(of.path("cache/actions"));
      for (const file of [objectOf(of, "alpha\n"), action ?? ""]) {
        rmSync(file, { force: true });
        if (what === "a folder") mkdirSync(join(file, "inside"), { recursive: true });
        else symlinkSync(basename(file), file);
      }
      await clean(of);
      expect(await of.lq("build", "out/")).toMatchObject({ code: 0 });
      expect([of.read("out/a.txt"), of.read("out/b.txt")]).toEqual(["alpha\n", "beta\n"]);
      expect(await of.lq("cache", "verify")).toMatchObject({ code: 0 });
    },
  );

  test("runs a task whose cached output is damaged, and restores the others", async () => {
    const of = project();
    await build(of);
    const object = objectOf(of, "alpha\n");
    chmodSync(object, 0o644);
    writeFileSync(object, "alphA\n");
    await clean(of);
    const { ran, restored, failed } = await of.build();
    expect({ ran, restored, failed }).toEqual({
      ran: ["copy:a", "tree"],
      restored: ["copy:b"],
      failed: [],
    });
    expect([of.read("out/a.txt"), of.read("tree/d/a.txt")]).toEqual(["alpha\n", "alpha\n"]);
    expect(await build(of)).toEqual({ ran: 0, restored: 0 });
  });

  test("refuses a cache with a file in the place of a folder, with a clear message", async () => {
    const of = project();
    await build(of, "out/a.txt");
    of.remove("cache/objects");
    of.write("cache/objects", "");
    await clean(of);
    const { code, stderr } = await of.lq("build", "out/a.txt");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: cannot stat .*cache\/objects\/.*: a folder of that path is a file\n/);
  });
});

describe("verify", () => {
  test("finds every damaged object and action and moves them aside; a build makes them again", async () => {
    const of = project();
    await build(of);
    expect((await of.lq("cache", "verify")).stdout).toMatch(/^\d+ objects \(.*\) and 3 actions verified\n$/);
    const object = objectOf(of, "alpha\n");
    chmodSync(object, 0o644);
    writeFileSync(object, "alphA\n");
    appendFileSync(filesIn(of.path("cache/actions"))[0] ?? "", " ");
    const [found] = await of.json("cache", "verify");
    expect(found).toMatchObject({ type: "verify", damaged: [{ kind: "object" }, { kind: "action" }] });
    expect(readdirSync(of.path("cache/quarantine"))).toHaveLength(2);
    const again = await of.lq("cache", "verify");
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("an action lacks objects");
    await clean(of);
    await build(of);
    expect(of.read("out/a.txt")).toBe("alpha\n");
  });

  test("counts anything else in the place of an object or action as damage, and moves unknown files aside", async () => {
    const of = project();
    await build(of);
    const [alpha, beta] = [objectOf(of, "alpha\n"), objectOf(of, "beta\n")];
    for (const file of [alpha, beta]) rmSync(file, { force: true });
    mkdirSync(join(alpha, "inside"), { recursive: true });
    symlinkSync(basename(beta), beta);
    const [action] = filesIn(of.path("cache/actions"));
    rmSync(action ?? "");
    execFileSync("mkfifo", [action ?? ""]);
    of.write("cache/objects/ab/notes.txt", "?");
    of.write(`cache/objects/ab/${"0".repeat(62)}.0123456789abcdef-1`, "a writer's");
    const [found] = await of.json("cache", "verify");
    const kinds = (found?.damaged as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["action", "object", "object", "stranger"]);
    expect(readdirSync(of.path("cache/quarantine"))).toHaveLength(4);
    expect(await of.json("cache", "verify")).toMatchObject([{ damaged: [] }]);
    expect((await of.json("cache", "stats"))[0]).toMatchObject({ objects: { count: 2 } });
  });

  test.skipIf(!canBeOthers())(
    "does not call unreadable files damaged, and reports damage that it cannot move",
    async () => {
      const of = cliProject({ "pipeline.yaml": `version: 1\n${RULES}`, "src/a.txt": "alpha\n" }, 4711);
      await build(of);
      const [object] = filesIn(of.path("cache/objects"));
      const [action] = filesIn(of.path("cache/actions"));
      for (const file of [object, action]) {
        chownSync(file ?? "", 0, 0);
        chmodSync(file ?? "", 0o600);
      }
      const [found] = await of.json("cache", "verify");
      expect(found).toMatchObject({ damaged: [], unreadable: [{ file: object }, { file: action }] });
      expect((await of.lq("cache", "verify")).code).toBe(1);

      chmodSync(object ?? "", 0o644);
      appendFileSync(object ?? "", "?");
      chownSync(dirname(object ?? ""), 0, 0);
      expect(await of.json("cache", "verify")).toMatchObject([
        { damaged: [{ kind: "object", file: object }], unreadable: [{ file: action }] },
      ]);
    },
  );

  test("finds nothing wrong with an empty cache", async () => {
    expect(await project().lq("cache", "verify")).toMatchObject({ code: 0 });
  });
});

describe("gc", () => {
  /** Two builds with different a.txt: the outputs of the first are no longer needed. */
  async function builtTwice(): Promise<CliProject> {
    const of = project();
    await build(of);
    of.write("src/a.txt", "gamma\n");
    await build(of);
    age(of.path("cache"), 10);
    return of;
  }

  test("never drops what current outputs need, and drops the rest by age", async () => {
    const of = await builtTwice();
    const before = await of.json("cache", "gc", "--keep-days", "30");
    expect(before[0]).toMatchObject({ actions: 0, objects: 0 });
    const [preview] = await of.json("cache", "gc", "--keep-days", "5", "-n");
    expect(preview).toMatchObject({ dryRun: true, actions: 2, objects: 1 });
    const [done] = await of.json("cache", "gc", "--keep-days", "5");
    expect(done).toMatchObject({ dryRun: false, actions: 2, objects: 1, freed: preview?.freed });
    await clean(of);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    of.write("src/a.txt", "alpha\n");
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
  });

  test("removes the least recently used first, by size", async () => {
    const of = project();
    for (const text of ["one", "two", "three"]) {
      of.write("src/a.txt", text.padEnd(1000));
      await build(of, "out/a.txt");
    }
    age(of.path("cache"), 10);
    of.write("src/a.txt", "one".padEnd(1000)); // of use again, so that "two" is the oldest
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    of.write("src/a.txt", "three".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    expect((await of.json("cache", "gc", "--keep-size", "2500B"))[0]).toMatchObject({
      actions: 1,
      objects: 1,
    });
    of.write("src/a.txt", "one".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    of.write("src/a.txt", "two".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 1, restored: 0 });
  });

  test("removes at once what nothing needs; while a build runs, nothing younger than an hour", async () => {
    const of = project();
    await build(of);
    of.write("src/a.txt", "gamma\n");
    await build(of);
    of.write("src/hold.txt", "");
    of.write(
      "pipeline.yaml",
      of.read("pipeline.yaml").replace('cmd: "cat', 'cmd: "[ ! -e hold ] || cat go; cat'),
    );
    execFileSync("mkfifo", [of.path("hold"), of.path("go")]);
    const beside = of.start("build", "out/hold.txt", "--json");
    await beside.line('"start"');
    for (const words of [["-n"], []])
      expect((await of.json("cache", "gc", "--keep-days", "0", ...words))[0]).toMatchObject({ objects: 0 });
    writeFileSync(of.path("go"), "");
    expect((await beside.ended).code).toBe(0);
    for (const words of [["-n"], []])
      expect((await of.json("cache", "gc", "--keep-days", "0", ...words))[0]).toMatchObject({
        actions: 2,
        objects: 1,
      });
    expect(existsSync(objectOf(of, "gamma\n"))).toBe(true);
  });

  test("keeps what a build uses after the choice, with everything that it needs", async () => {
    const of = await builtTwice();
    const folder = of.path("cache");
    const chosen = chooseGarbage(folder, new Set(), { keepDays: 5 });
    of.write("src/a.txt", "alpha\n");
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    const removed = removeGarbage(chosen);
    expect(removed.actions.length).toBe(chosen.actions.length - 1);
    await clean(of);
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    // The same for a content that a run makes again while the store has it already.
    age(folder, 10);
    const again = chooseGarbage(folder, new Set(), { keepDays: 5 });
    of.write("src/c.txt", "alpha\n");
    expect(await build(of, "out/c.txt")).toEqual({ ran: 1, restored: 0 });
    removeGarbage(again);
    await clean(of);
    expect(await build(of, "out/c.txt")).toEqual({ ran: 0, restored: 1 });
  });

  test("keeps outputs that are links into the cache, even if their actions are gone", async () => {
    const of = cliProject({
      "pipeline.yaml": `version: 1
cache: { link: symlink }
rules:
  two: { cmd: "echo one > \${out.a}; echo two > \${out.b}", out: { a: a.txt, b: b.txt } }
  one: { cmd: "echo three > \${out}", out: c.txt }
`,
    });
    await build(of);
    await of.lq("clean", "a.txt");
    writeFileSync(
      filesIn(of.path("cache/actions")).find((file) => readFileSync(file, "utf8").includes("three")) ?? "",
      "?",
    );
    await of.lq("cache", "gc", "--keep-days", "0");
    expect([of.read("b.txt"), of.read("c.txt")]).toEqual(["two\n", "three\n"]);
  });

  test("refuses to run without a limit or with a wrong one", async () => {
    const of = project();
    expect(await of.lq("cache", "gc")).toMatchObject({ code: 2 });
    expect(await of.lq("cache", "gc", "--keep-size", "much")).toMatchObject({ code: 2 });
    expect(await of.lq("cache", "gc", "--keep-days", "-1")).toMatchObject({ code: 2 });
    const bytes = await of.lq("cache", "gc", "-n", "--keep-size", "50");
    expect([bytes.code, bytes.stderr]).toEqual([
      2,
      expect.stringContaining("That would be 50 bytes. Write 50GiB."),
    ]);
    expect(await of.lq("cache", "gc", "-n", "--keep-size", "0")).toMatchObject({ code: 0 });
  });

  test("stats show how much there is and how much of it is needed", async () => {
    const of = await builtTwice();
    const [stats] = await of.json("cache", "stats");
    expect(stats).toMatchObject({ type: "stats", objects: { count: 4 }, actions: { count: 5 } });
    expect(stats?.needed).toBe("gamma\n".length + "beta\n".length + "#!/bin/sh".length);
    expect((await of.lq("cache", "stats")).stdout).toContain("in 4\n");
  });
});
