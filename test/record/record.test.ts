import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { FileDigests } from "../../src/files/files.ts";
import { keyOf, type Recipe } from "../../src/fingerprint/recipe.ts";
import { isUntouched, outputState } from "../../src/record/outputs.ts";
import { Recorder } from "../../src/record/record.ts";
import { State } from "../../src/state/state.ts";
import { Store } from "../../src/store/store.ts";
import { task } from "../helpers/tasks.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

const TASK = task("x", { outputs: { out: "out/a.txt", tree: "out/tree/" } });

/** What one build uses of a project. */
class Build {
  readonly state: State;
  readonly files: FileDigests;
  readonly store: Store;
  readonly recorder: Recorder;
  constructor(readonly root: string) {
    this.state = State.open(root);
    this.files = new FileDigests(root, this.state);
    this.store = new Store(join(root, "cache"));
    this.recorder = new Recorder(this, { overwrite: false });
  }
  /** A run that writes this text. */
  async run(text: string): Promise<string> {
    writeFile(this.root, "cache/staging/1/out/a.txt", text);
    writeFile(this.root, "cache/staging/1/out/tree/b", `${text} b`);
    const recipe = recipeFor(text);
    const staged = ["out/a.txt", "out/tree/"].map((path) => `${this.root}/cache/staging/1/${path}`);
    const key = keyOf(recipe);
    await this.recorder.recordRun({ task: TASK, key, recipe, staged, seconds: 2, log: "x.log" });
    return key;
  }
  async restore(key: string): Promise<boolean> {
    mkdirSync(join(this.root, "cache/staging"), { recursive: true });
    const action = this.store.action(key);
    if (action === undefined) return false;
    const staging = ["a.txt", "tree/"].map((name) => `${this.root}/cache/staging/${name}`);
    return this.recorder.restore(TASK, action, staging);
  }
  outputs(): string[] {
    return TASK.outputs.map(({ path }) => outputState(this, "x", path));
  }
  async end(): Promise<void> {
    await this.recorder.settle();
    this.state.close();
  }
}

function recipeFor(text: string): Recipe {
  const outputs = TASK.outputs.map(({ role, path }) => ({ role, path }));
  return {
    format: 1,
    action: { kind: "cmd", argv: [text] },
    inputs: [],
    outputs,
    params: {},
    env: {},
    tools: {},
  };
}

function read(root: string): string[] {
  return ["out/a.txt", "out/tree/b"].map((path) => readFileSync(join(root, path), "utf8"));
}

async function built(text = "one"): Promise<{ root: string; key: string }> {
  const root = testFolder();
  const build = new Build(root);
  const key = await build.run(text);
  await build.end();
  return { root, key };
}

describe("a run", () => {
  it("is in place, in the store and on record", async () => {
    const { root, key } = await built();
    expect(read(root)).toEqual(["one", "one b"]);
    const build = new Build(root);
    expect(build.outputs()).toEqual(["intact", "intact"]);
    expect(build.state.last("x")).toMatchObject({ id: "x", key, seconds: 2, log: "x.log" });
    expect(build.store.run(key)).toBeDefined();
    await build.end();
  });

  it("leaves its digest with the build, which does not read it again", async () => {
    const { root } = await built();
    const build = new Build(root);
    const hashed: string[] = [];
    const files = new FileDigests(root, {
      digestOf: (path, signature) => build.state.digestOf(path, signature),
      rememberFile: (path) => hashed.push(path),
    });
    expect(files.digest("out/a.txt")).toBe(sha256("one"));
    expect(files.digest("out/tree/b")).toBe(sha256("one b"));
    expect(hashed).toEqual([]);
    await build.end();
  });
});

describe("an output", () => {
  async function after(change: (root: string) => void): Promise<string[]> {
    const { root } = await built();
    change(root);
    const build = new Build(root);
    const found = build.outputs();
    await build.end();
    return found;
  }

  it("is found edited, replaced, missing or only touched", async () => {
    expect(await after((root) => writeFile(root, "out/a.txt", "two"))).toEqual(["edited", "intact"]);
    expect(await after((root) => writeFile(root, "out/tree/new", ""))).toEqual(["intact", "extended"]);
    expect(await after((root) => writeFile(root, "out/tree/b", "two"))).toEqual(["intact", "edited"]);
    // Replacing loses nothing if the cache has the content, or if the file is empty.
    expect(await after((root) => writeFile(root, "out/a.txt", "one b"))).toEqual(["replaced", "intact"]);
    expect(await after((root) => writeFile(root, "out/a.txt", ""))).toEqual(["replaced", "intact"]);
    expect(await after((root) => rmSync(join(root, "out/tree/b")))).toEqual(["intact", "replaced"]);
    expect(await after((root) => rmSync(join(root, "out/tree"), { recursive: true }))).toEqual([
      "intact",
      "missing",
    ]);
    expect(await after((root) => rmSync(join(root, "out"), { recursive: true }))).toEqual([
      "missing",
      "missing",
    ]);
    expect(await after((root) => utimesSync(join(root, "out/a.txt"), 1, 1))).toEqual(["intact", "intact"]);
    const folderForFile = (root: string) => {
      rmSync(join(root, "out/a.txt"));
      mkdirSync(join(root, "out/a.txt"));
    };
    expect(await after(folderForFile)).toEqual(["edited", "intact"]);
  });

  it("is found edited if it was edited right after the build, with the same size and mtime", async () => {
    for (let round = 0; round < 20; round++) {
      const { root } = await built();
      const { atime, mtime } = statSync(join(root, "out/a.txt"));
      writeFileSync(join(root, "out/a.txt"), "two");
      utimesSync(join(root, "out/a.txt"), atime, mtime);
      const build = new Build(root);
      expect(build.outputs()).toEqual(["edited", "intact"]);
      await build.end();
    }
  });

  it("that lq never wrote is foreign", async () => {
    const build = new Build(testFolder({ "out/a.txt": "mine" }));
    expect(build.outputs()).toEqual(["foreign", "missing"]);
    await build.end();
  });

  it("that a killed build placed belongs to lq, old or new", async () => {
    const { root } = await built("one");
    const build = new Build(root);
    const outputs = build.state.last("x")!.outputs;
    const next = { ...outputs[0]!, digest: sha256("two") };
    build.state.recordPlacing("x", [next, outputs[1]!]);
    expect(build.outputs()).toEqual(["intact", "intact"]);
    await build.end();
    writeFile(root, "out/a.txt", "two");
    const later = new Build(root);
    expect(later.outputs()).toEqual(["replaced", "intact"]);
    await later.end();
    writeFile(root, "out/a.txt", "three");
    const last = new Build(root);
    expect(last.outputs()).toEqual(["edited", "intact"]);
    await last.end();
  });

  it("of a first build that was killed belongs to lq, too", async () => {
    const root = testFolder({ "out/a.txt": "one" });
    const build = new Build(root);
    const signature = { size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
    build.state.recordPlacing("x", [{ kind: "file", path: "out/a.txt", digest: sha256("one"), signature }]);
    await build.end();
    const next = new Build(root);
    expect(next.outputs()).toEqual(["replaced", "missing"]);
    expect(isUntouched(next.state, next.files, "out/a.txt")).toBe(true);
    await next.end();
  });

  it("is untouched until somebody changes it", async () => {
    const { root } = await built();
    const build = new Build(root);
    expect(isUntouched(build.state, build.files, "out/tree/b")).toBe(true);
    writeFile(root, "out/a.txt", "two");
    expect(isUntouched(build.state, build.files, "out/a.txt")).toBe(false);
    expect(isUntouched(build.state, build.files, "elsewhere")).toBe(false);
    await build.end();
  });
});

describe("restoring", () => {
  it("puts back what an earlier run made, byte for byte, and is on record", async () => {
    const { root, key } = await built("one");
    const build = new Build(root);
    await build.run("two");
    expect(read(root)).toEqual(["two", "two b"]);
    expect(await build.restore(key)).toBe(true);
    expect(read(root)).toEqual(["one", "one b"]);
    expect(build.outputs()).toEqual(["intact", "intact"]);
    await build.end();
    const next = new Build(root);
    expect(next.outputs()).toEqual(["intact", "intact"]);
    expect(next.state.last("x")?.key).toBe(key);
    await next.end();
  });

  it("does not touch outputs that are in place already", async () => {
    const { root, key } = await built();
    const { ino, ctimeMs } = statSync(join(root, "out/a.txt"));
    rmSync(join(root, "cache/state"), { recursive: true });
    const build = new Build(root);
    expect(await build.restore(key)).toBe(true);
    const { ino: inoAfter, ctimeMs: ctimeAfter } = statSync(join(root, "out/a.txt"));
    expect([inoAfter, ctimeAfter]).toEqual([ino, ctimeMs]);
    expect(build.outputs()).toEqual(["intact", "intact"]);
    await build.end();
  });

  it("fails and leaves nothing if an object is damaged", async () => {
    const { root, key } = await built("one");
    const build = new Build(root);
    const second = await build.run("two");
    const digest = sha256("one b");
    rmSync(join(root, "cache/objects", digest.slice(0, 2), digest.slice(2)));
    expect(await build.restore(key)).toBe(false);
    expect(read(root)).toEqual(["two", "two b"]);
    expect(build.state.last("x")?.key).toBe(second);
    await build.end();
  });
});
