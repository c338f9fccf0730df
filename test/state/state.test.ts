import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { frame, scanFrames } from "../../src/state/frames.ts";
import type { DoneRecord } from "../../src/state/records.ts";
import { State } from "../../src/state/state.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";
import { done, signature } from "./example-records.ts";

const LOG = "cache/state/log";

/** Writes five records of five kinds. `present` asks for each of them. */
function fill(root: string): void {
  const state = State.open(root);
  state.recordDone(done("a", 1));
  state.recordDone(done("b", 2));
  state.rememberFile("src/x.txt", sha256("x"), signature(9));
  state.recordFailed({
    id: "c",
    key: sha256("c"),
    seconds: 1,
    finished: 2,
    log: "c.log",
    error: "exit code 1",
  });
  state.rememberNote("code:tasks/x.ts", `{"n":1}`);
  state.close();
}

/** @returns names of the records of `fill` that the state has; fails if one of them is there but wrong */
function present(state: State): string[] {
  const found: string[] = [];
  for (const [id, n] of [
    ["a", 1],
    ["b", 2],
  ] as const) {
    const record = state.last(id);
    if (record === undefined) continue;
    expect(record).toEqual(done(id, n));
    found.push(id);
  }
  const file = state.digestOf("src/x.txt", signature(9));
  if (file !== undefined) {
    expect(file).toBe(sha256("x"));
    found.push("file");
  }
  const failure = state.lastFailure("c");
  if (failure !== undefined) {
    expect(failure).toEqual({
      id: "c",
      key: sha256("c"),
      seconds: 1,
      finished: 2,
      log: "c.log",
      error: "exit code 1",
    });
    found.push("c");
  }
  const note = state.note("code:tasks/x.ts");
  if (note !== undefined) {
    expect(note).toBe(`{"n":1}`);
    found.push("note");
  }
  return found;
}

/** What `present` finds after `fill`, in the order of the log. */
const ALL = ["a", "b", "file", "c", "note"];

function frameEnds(log: Buffer): number[] {
  const ends: number[] = [];
  scanFrames(log, (_start, end) => ends.push(end));
  return ends;
}

describe("State", () => {
  it("gives back what was recorded, to a reader and to the next writer", () => {
    const root = testFolder();
    fill(root);
    expect(present(State.open(root, { readonly: true }))).toEqual(ALL);
    const state = State.open(root);
    expect([...state.ids()]).toEqual(["a", "b"]);
    expect([...state.written()].map((record: DoneRecord) => record.key)).toEqual([
      sha256("key 1"),
      sha256("key 2"),
    ]);
    expect(state.seconds("b")).toBe(1);
    state.close();
  });

  it("starts empty without a log, and a reader does not create one", () => {
    const root = testFolder();
    expect(present(State.open(root, { readonly: true }))).toEqual([]);
    expect(statSync(join(root, "cache"), { throwIfNoEntry: false })).toBeUndefined();
  });

  it("knows the digest of an output, and of a file in a directory output, only with the same signature", () => {
    const root = testFolder();
    fill(root);
    const state = State.open(root, { readonly: true });
    expect(state.digestOf("out/a.txt", signature(1))).toBe(sha256("file 1"));
    expect(state.digestOf("out/a/part/é.bin", signature(2))).toBe(sha256("part 1"));
    expect(state.digestOf("out/a.txt", signature(2))).toBeUndefined();
    expect(state.digestOf("out/a/other", signature(2))).toBeUndefined();
  });

  it("keeps the owner of an output that its task now writes elsewhere, until it is forgotten or written again", () => {
    const root = testFolder();
    fill(root);
    let state = State.open(root);
    expect(state.owner("out/a.txt")?.id).toBe("a");
    state.recordDone({
      ...done("a", 3),
      outputs: [{ kind: "file", path: "new/a.txt", digest: sha256("n"), signature: signature(3) }],
    });
    for (let reopened = 0; reopened < 2; reopened++) {
      expect(state.owner("out/a.txt")).toMatchObject({ id: "a", output: done("a", 1).outputs[0] });
      expect(state.owner("new/a.txt")?.id).toBe("a");
      expect([...state.ownedPaths()].sort()).toEqual([
        "new/a.txt",
        "out/a.txt",
        "out/a/",
        "out/b.txt",
        "out/b/",
      ]);
      state.close();
      state = State.open(root);
    }
    state.forgetOutput("out/a.txt");
    state.recordDone(done("z", 4));
    state.recordDone({ ...done("z", 5), outputs: [done("a", 1).outputs[1]!] });
    state.close();
    state = State.open(root);
    expect(state.owner("out/a.txt")).toBeUndefined();
    expect(state.owner("out/a/")?.id).toBe("z");
    state.close();
  });

  it("gives a path to the task that wrote it last, whatever the order of their records", () => {
    const root = testFolder();
    let state = State.open(root);
    state.recordDone(done("old", 1));
    state.recordDone({ ...done("new", 2), outputs: done("old", 2).outputs });
    expect(state.owner("out/old.txt")?.id).toBe("new");
    state.recordDone({ ...done("old", 1), finished: 9999 });
    expect(state.owner("out/old.txt")?.id).toBe("old");
    state.close();
    expect(State.open(root, { readonly: true }).owner("out/old.txt")?.id).toBe("old");
    // The order of writing decides, not the clock: it may have been set back.
    state = State.open(root);
    state.recordDone({ ...done("new", 9), outputs: done("old", 9).outputs, finished: 1 });
    expect(state.owner("out/old.txt")?.id).toBe("new");
    state.close();
    expect(State.open(root, { readonly: true }).owner("out/old.txt")?.id).toBe("new");
  });

  it("remembers which outputs a killed build was putting in place, until the task is done", () => {
    const root = testFolder();
    let state = State.open(root);
    state.recordDone(done("a", 1));
    state.recordPlacing("a", done("a", 2).outputs);
    state.close();
    state = State.open(root);
    expect(state.interrupted("a")).toEqual(done("a", 2).outputs);
    expect(state.last("a")).toEqual(done("a", 1));
    state.recordDone(done("a", 2));
    expect(state.interrupted("a")).toEqual([]);
    state.close();
    expect(State.open(root, { readonly: true }).interrupted("a")).toEqual([]);
  });

  it("drops a failure when the task succeeds, and all records of a task that is forgotten", () => {
    const root = testFolder();
    fill(root);
    const state = State.open(root);
    state.recordDone(done("c", 6));
    expect(state.lastFailure("c")).toBeUndefined();
    state.forget("b");
    state.close();
    const after = State.open(root, { readonly: true });
    expect([...after.ids()]).toEqual(["a", "c"]);
    expect(after.owner("out/b.txt")).toBeUndefined();
    expect(after.lastFailure("c")).toBeUndefined();
  });

  it("shows a reader whole records while a writer appends", () => {
    const root = testFolder();
    const writer = State.open(root);
    writer.recordDone(done("a", 1));
    const reader = State.open(root, { readonly: true });
    writer.recordDone(done("b", 2));
    expect([...reader.ids()]).toEqual(["a"]);
    expect([...State.open(root, { readonly: true }).ids()]).toEqual(["a", "b"]);
    writer.close();
  });

  it("rewrites a log that is mostly outdated, and keeps the current records", () => {
    const root = testFolder();
    fill(root);
    const state = State.open(root);
    for (let n = 0; n < 6000; n++) state.recordDone(done("busy", n));
    state.close();
    const before = statSync(join(root, LOG)).size;
    const again = State.open(root);
    expect(present(again)).toEqual(ALL);
    expect(again.last("busy")).toEqual(done("busy", 5999));
    again.recordDone(done("later", 7));
    again.close();
    expect(statSync(join(root, LOG)).size).toBeLessThan(before / 100);
    const last = State.open(root, { readonly: true });
    expect(present(last)).toEqual(ALL);
    expect([...last.ids()].sort()).toEqual(["a", "b", "busy", "later"]);
  });
});

describe("a damaged state log", () => {
  it("keeps every record before the cut when it is cut at any byte, and can be written to again", () => {
    const root = testFolder();
    fill(root);
    const log = readFileSync(join(root, LOG));
    const ends = frameEnds(log);
    expect(ends).toHaveLength(ALL.length);
    for (let cut = 0; cut <= log.length; cut++) {
      writeFileSync(join(root, LOG), log.subarray(0, cut));
      const whole = ALL.filter((_, i) => (ends[i] ?? 0) <= cut);
      expect(present(State.open(root, { readonly: true }))).toEqual(whole);
      if (cut % 7 !== 0) continue;
      const writer = State.open(root);
      writer.recordDone(done("new", 8));
      writer.close();
      const reader = State.open(root, { readonly: true });
      expect(reader.damaged).toBe(0);
      expect(present(reader)).toEqual(whole);
      expect(reader.last("new")).toEqual(done("new", 8));
    }
  });

  it("loses only the record whose byte is flipped", () => {
    const root = testFolder();
    fill(root);
    const log = readFileSync(join(root, LOG));
    const ends = frameEnds(log);
    for (let at = 0; at < log.length; at++) {
      const flipped = Buffer.from(log);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(join(root, LOG), flipped);
      const hit = ends.findIndex((end) => at < end);
      const state = State.open(root, { readonly: true });
      expect(present(state)).toEqual(ALL.filter((_, i) => i !== hit));
      expect(state.damaged).toBeGreaterThan(0);
    }
  });

  it("counts as empty when it holds only noise", () => {
    const root = testFolder();
    writeFile(root, LOG, "lq\xf1 not a log at all".repeat(100));
    expect(present(State.open(root, { readonly: true }))).toEqual([]);
    fill(root);
    expect(present(State.open(root, { readonly: true }))).toEqual(ALL);
  });

  it("skips frames of another version", () => {
    const root = testFolder();
    fill(root);
    const log = readFileSync(join(root, LOG));
    const foreign = frame(Buffer.from("whatever a later lq writes"));
    foreign[3] = 200;
    writeFileSync(join(root, LOG), Buffer.concat([foreign, log, foreign]));
    expect(present(State.open(root, { readonly: true }))).toEqual(ALL);
  });
});
