import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/fingerprint/canonical.ts";
import { CodeClosures } from "../../src/fingerprint/code.ts";
import { sha256 } from "../../src/system/digest.ts";
import { FileDigests } from "../../src/files/files.ts";
import { Fingerprinter, type KnownOutputs } from "../../src/fingerprint/fingerprint.ts";
import { keyOf } from "../../src/fingerprint/recipe.ts";
import { ToolVersions } from "../../src/fingerprint/tools.ts";
import { treeDigest } from "../../src/fingerprint/tree.ts";
import type { Task } from "../../src/model/model.ts";
import { Environments } from "../../src/environment/environments.ts";
import { Disk } from "../../src/files/disk.ts";
import { RuleCode } from "../../src/followed/rule-code.ts";
import { FollowedCode } from "../../src/followed/follow.ts";
import { State } from "../../src/state/state.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";
import { cmd, graphOf, task } from "../helpers/tasks.ts";

async function fingerprinter(root: string, tasks: readonly Task[], environment = {}): Promise<Fingerprinter> {
  const state = State.open(root, { readonly: true });
  const files = new FileDigests(root, state);
  const fingerprinter = new Fingerprinter({
    root,
    graph: graphOf(tasks),
    files,
    writings: { isLeftover: () => false },
    ruleCode: new RuleCode({
      modules: new CodeClosures(root, state),
      followed: new FollowedCode(root, state, new Disk()),
      environments: new Environments(root, environment),
      disk: files.disk,
      files,
    }),
    tools: new ToolVersions(root),
    environment,
  });
  await fingerprinter.prepare(tasks.map((each) => each.rule));
  return fingerprinter;
}

async function keyIn(root: string, one: Task, environment = {}): Promise<string> {
  const fingerprint = (await fingerprinter(root, [one], environment)).fingerprint(one);
  if (fingerprint.kind === "missing") throw new Error(`missing ${fingerprint.paths.join()}`);
  expect(fingerprint.key).toBe(keyOf(fingerprint.recipe));
  return fingerprint.key;
}

const FILES = {
  "tasks/x.ts": "export default 1;",
  "a.txt": "a",
  "b.txt": "a",
  "dir/one": "1",
  "dir/two": "2",
};

describe("the key of a run task", () => {
  const base = task("x", {
    inputs: { in: "a.txt" },
    outputs: { out: "out.txt" },
    params: { n: 1, m: { b: [1], a: 2 } },
  });

  it("does not depend on names, paths, slots or the order of keys", async () => {
    const root = testFolder(FILES);
    const key = await keyIn(root, base);
    expect(await keyIn(root, { ...base, id: "y", bindings: [{ text: "case", fields: null }] })).toBe(key);
    expect(await keyIn(root, task("x", { ...base.spec, inputs: { in: "b.txt" } }))).toBe(key);
    expect(await keyIn(root, task("x", { ...base.spec, outputs: { out: "elsewhere.txt" } }))).toBe(key);
    expect(await keyIn(root, task("x", { ...base.spec, params: { m: { a: 2, b: [1] }, n: 1 } }))).toBe(key);
    expect(
      await keyIn(root, { ...base, rule: { ...base.rule, slots: { ...base.rule.slots, cpu: 9 } } }),
    ).toBe(key);
    writeFile(root, "tasks/x.ts", "// a comment\nexport default 1;");
    expect(await keyIn(root, base)).toBe(key);
  });

  it("depends on content, roles, kinds, params, environment, tools and code", async () => {
    const root = testFolder(FILES);
    const environment = { A: "1" };
    const variants = [
      base,
      task("x", { ...base.spec, inputs: { image: "a.txt" } }),
      task("x", { ...base.spec, inputs: {} }),
      task("x", { ...base.spec, inputs: { in: "dir/one" } }),
      task("x", { ...base.spec, inputs: { in: "dir/" } }),
      task("x", { ...base.spec, outputs: { out: "out/" } }),
      task("x", { ...base.spec, params: { n: 1 } }),
      task("x", { ...base.spec, params: { n: "1", m: { b: [1], a: 2 } } }),
      task("x", { ...base.spec, params: { n: 1, m: { b: [], a: 2 } } }),
      task("x", { ...base.spec, env: { A: null } }),
      task("x", { ...base.spec, env: { B: null } }),
      task("x", { ...base.spec, env: { A: "2" } }),
      task("x", { ...base.spec, tools: ["echo 1.0"] }),
      task("x", { ...base.spec, tools: ["echo 1.1"] }),
    ];
    const keys = new Set<string>();
    for (const variant of variants) keys.add(await keyIn(root, variant, environment));
    writeFile(root, "a.txt", "changed");
    keys.add(await keyIn(root, base));
    writeFile(root, "tasks/x.ts", "export default 2;");
    keys.add(await keyIn(root, base));
    expect(keys.size).toBe(variants.length + 2);
  });

  it("depends on the names and contents in a directory, not on the directory's name", async () => {
    const root = testFolder({ ...FILES, "copy/one": "1", "copy/two": "2" });
    const of = (dir: string) => keyIn(root, task("x", { inputs: { in: dir } }));
    const key = await of("dir/");
    expect(await of("copy/")).toBe(key);
    writeFile(root, "copy/three", "3");
    expect(await of("copy/")).not.toBe(key);
  });
});

describe("the key of a command", () => {
  it("depends on its text with the quoted paths", async () => {
    const root = testFolder({ ...FILES, "it's": "a" });
    const one = cmd("x", ["cat ", "in", " > ", "out"], "it's", "out.txt");
    const ready = (await fingerprinter(root, [one])).fingerprint(one);
    expect(ready).toMatchObject({
      recipe: { action: { argv: ["bash", "-euo", "pipefail", "-c", `cat 'it'\\''s' > out.txt`] } },
    });
    const keys = new Set([
      await keyIn(root, one),
      await keyIn(root, cmd("x", ["cat  ", "in", " > ", "out"], "it's", "out.txt")),
      await keyIn(root, cmd("x", ["cat ", "in", " > ", "out"], "a.txt", "out.txt")),
      await keyIn(root, cmd("x", ["cat ", "in", " > ", "out"], "it's", "other.txt")),
      await keyIn(root, cmd("x", ["make it"], "a.txt", "out.txt")),
      await keyIn(root, cmd("x", ["make it"], "b.txt", "out.txt")),
    ]);
    expect(keys.size).toBe(6);
  });
});

describe("Fingerprinter", () => {
  it("names inputs that are not there, and files in an input directory that a task has yet to make", async () => {
    const root = testFolder(FILES);
    const maker = task("maker", { outputs: { out: "dir/made" } });
    const user = task("user", { inputs: { in: "none.txt", dir: "dir/", also: "a.txt" } });
    const print = (await fingerprinter(root, [maker, user])).fingerprint(user);
    expect(print).toEqual({ kind: "missing", paths: ["none.txt", "dir/made"] });
  });

  it("computes a key from known outputs that are not on the disk", async () => {
    const root = testFolder({ ...FILES, "dir/tree/old": "x" });
    const maker = task("maker", { outputs: { one: "dir/made", tree: "dir/tree/" } });
    const user = task("user", { inputs: { dir: "dir/", part: "dir/tree/x/y", whole: "dir/tree/" } });
    const entries = [{ name: "x/y", digest: sha256("y") }];
    const known: KnownOutputs = (path) =>
      path === "dir/made"
        ? { digest: sha256("made") }
        : path === "dir/tree/"
          ? { digest: treeDigest(entries), entries }
          : undefined;
    const print = (await fingerprinter(root, [maker, user])).fingerprint(user, known);
    writeFile(root, "dir/made", "made");
    writeFile(root, "elsewhere", "");
    if (print.kind === "missing") throw new Error(print.paths.join());
    expect(print.recipe.inputs.map((input) => input.digest.slice(0, 8))).toEqual(
      [
        treeDigest([
          { name: "made", digest: sha256("made") },
          { name: "one", digest: sha256("1") },
          { name: "tree/x/y", digest: sha256("y") },
          { name: "two", digest: sha256("2") },
        ]),
        sha256("y"),
        treeDigest(entries),
      ].map((digest) => digest.slice(0, 8)),
    );
  });

  it("tells which inputs changed since, and reads them again", async () => {
    const root = testFolder(FILES);
    const user = task("user", { inputs: { in: "a.txt", dir: "dir/" } });
    const prints = await fingerprinter(root, [user]);
    const before = prints.fingerprint(user);
    if (before.kind === "missing") throw new Error("missing");
    expect(await prints.changedInputs(before.recipe)).toEqual([]);
    writeFile(root, "a.txt", "longer");
    writeFile(root, "dir/new", "");
    writeFile(root, "dir/two", "22");
    expect((await prints.changedInputs(before.recipe)).sort()).toEqual(["a.txt", "dir/new", "dir/two"]);
    const after = prints.fingerprint(user);
    if (after.kind === "missing") throw new Error("missing");
    expect(after.key).not.toBe(before.key);
    expect(await prints.changedInputs(after.recipe)).toEqual([]);
  });

  it("gives what a tool prints on either stream, runs it once, and reports a failure", async () => {
    const root = testFolder();
    const tools = new ToolVersions(root);
    const count = "echo x >> asked; echo 1.0 >&2";
    expect(await Promise.all([tools.ask(count), tools.ask(count)])).toEqual(["1.0", "1.0"]);
    expect(await tools.ask("wc -l < asked")).toMatch(/^\s*1$/);
    await expect(tools.ask("echo oh; false")).rejects.toThrow(
      `the tool "echo oh; false" failed with exit code 1: oh`,
    );
  });
});

describe("canonicalJson", () => {
  it("gives equal text for equal values and different text for different values", () => {
    expect(canonicalJson({ b: [1, { d: null, c: "x" }], a: true })).toBe(
      `{"a":true,"b":[1,{"c":"x","d":null}]}`,
    );
    const values = [
      {},
      [],
      null,
      "",
      "null",
      0,
      "0",
      [[]],
      [{}],
      { a: {} },
      { a: [] },
      ["a", "b"],
      [`a","b`],
    ];
    expect(new Set(values.map(canonicalJson)).size).toBe(values.length);
  });
});
