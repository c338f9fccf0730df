import { describe, expect, it } from "vitest";
import { decide, type Evidence } from "../../src/decide/decide.ts";
import { explain } from "../../src/decide/explain.ts";
import { sha256 } from "../../src/system/digest.ts";
import { keyOf, type Recipe } from "../../src/fingerprint/recipe.ts";
import type { Json } from "../../src/model/model.ts";
import type { DoneRecord } from "../../src/state/records.ts";

const run: Recipe = {
  format: 1,
  action: {
    kind: "run",
    code: {
      digest: sha256("code"),
      files: [
        { path: "tasks/score.ts", digest: sha256("score") },
        { path: "tasks/study/metrics/dice.ts", digest: sha256("dice") },
      ],
      packages: [{ name: "zod", version: "4.0.0" }],
    },
  },
  inputs: [
    { role: "image", path: "data/btcv/images/case_03.nii.gz", digest: sha256("image") },
    {
      role: "labels",
      path: "data/btcv/labels/",
      digest: sha256("tree"),
      entries: [
        { name: "case_01.nii.gz", digest: sha256("1") },
        { name: "case_02.nii.gz", digest: sha256("2") },
      ],
    },
  ],
  outputs: [{ role: "out", path: "scores/case_03.json" }],
  params: {
    generator: param({ channels: 4, window: [-160, 240] }, "generators.stu-s"),
    tolerance: param(1, null),
  },
  env: { LANG: "C" },
  tools: { "nvcc --version": "12.4" },
};

function param(value: Json, origin: string | null) {
  return { value, origin };
}

function doneWith(recipe: Recipe): DoneRecord {
  return { id: "x", key: keyOf(recipe), outputs: [], seconds: 1, finished: 1, log: "" };
}

function evidence(recipe: Recipe, before: Recipe | undefined, changes: Partial<Evidence> = {}): Evidence {
  return {
    key: keyOf(recipe),
    recipe,
    last: before && doneWith(before),
    lastRecipe: () => before,
    failure: undefined,
    outputs: [{ path: "scores/case_03.json", state: "intact" }],
    cached: false,
    forced: false,
    ...changes,
  };
}

/** The reasons as text, for a task that last ran with another recipe. */
function why(after: Recipe, before: Recipe = run): string[] {
  const freshness = decide(evidence(after, before));
  return "reasons" in freshness ? freshness.reasons.map(explain) : [];
}

describe("decide", () => {
  const at = (state: "missing" | "edited" | "replaced" | "foreign") => ({
    outputs: [{ path: "out", state }],
  });

  it("calls a task fresh if it has its key and its outputs", () => {
    expect(decide(evidence(run, run))).toEqual({ state: "fresh", key: keyOf(run) });
  });

  it("finds every state", () => {
    const other: Recipe = { ...run, env: { LANG: "de" } };
    const failure = { id: "x", key: keyOf(run), seconds: 1, finished: 2, log: "", error: "" };
    const cases: [Evidence, string, string[]][] = [
      [evidence(run, undefined, at("missing")), "missing", ["never built"]],
      [evidence(run, undefined, at("foreign")), "stale", ["output out was not made by lq", "never built"]],
      [evidence(run, undefined, { ...at("missing"), cached: true }), "restorable", ["never built"]],
      [evidence(run, run, at("missing")), "missing", ["output out missing"]],
      [evidence(run, run, { ...at("missing"), cached: true }), "restorable", ["output out missing"]],
      [evidence(run, run, at("replaced")), "stale", ["output out is not from the last run"]],
      [evidence(run, run, at("edited")), "stale", ["output out was edited by hand"]],
      [evidence(run, run, { ...at("edited"), cached: true }), "stale", ["output out was edited by hand"]],
      [evidence(run, run, { forced: true, cached: true }), "stale", ["forced"]],
      [evidence(run, other), "stale", ["env LANG: de → C"]],
      [evidence(run, other, { cached: true }), "restorable", ["env LANG: de → C"]],
      [evidence(run, other, at("missing")), "missing", ["env LANG: de → C", "output out missing"]],
      [
        evidence(run, undefined, { failure }),
        "failed",
        ["never built", "failed before, and nothing has changed since"],
      ],
      [evidence(run, other, { failure: { ...failure, key: keyOf(other) } }), "stale", ["env LANG: de → C"]],
    ];
    for (const [given, state, reasons] of cases) {
      const found = decide(given);
      expect([found.state, "reasons" in found ? found.reasons.map(explain) : []]).toEqual([state, reasons]);
    }
  });

  it("trusts no outputs of a run with other inputs, and says if the old recipe is gone", () => {
    expect(decide(evidence(run, run, { last: { ...doneWith(run), key: null } }))).toMatchObject({
      state: "stale",
    });
    const gone = decide(evidence({ ...run, env: {} }, run, { lastRecipe: () => undefined }));
    expect(gone).toMatchObject({ reasons: [{ kind: "declaration" }] });
  });

  it("does not read the old recipe of a fresh task", () => {
    const lastRecipe = () => expect.fail("read");
    expect(decide(evidence(run, run, { lastRecipe })).state).toBe("fresh");
  });
});

describe("the reasons", () => {
  it("name the leaf of a param, with the value before and after", () => {
    const generator = (value: Json) => ({
      ...run,
      params: { ...run.params, generator: param(value, "generators.stu-s") },
    });
    expect(why(generator({ channels: 6, window: [-160, 240] }))).toEqual([
      "params generators.stu-s.channels: 4 → 6",
    ]);
    expect(why(generator({ channels: 4, window: [-100, 240] }))).toEqual([
      "params generators.stu-s.window.0: -160 → -100",
    ]);
    expect(why(generator({ channels: 4, window: [1] }))).toEqual([
      "params generators.stu-s.window: [-160,240] → [1]",
    ]);
    expect(why(generator({ window: [-160, 240], depth: "x" }))).toEqual([
      "params generators.stu-s.depth: (none) → x",
      "params generators.stu-s.channels: 4 → (none)",
    ]);
    expect(why({ ...run, params: { ...run.params, tolerance: param(2, null) } })).toEqual([
      "params tolerance: 1 → 2",
    ]);
    expect(why({ ...run, params: { ...run.params, tolerance: param(1, "metrics.tolerance") } })).toEqual([]);
  });

  it("name the file, also in a directory", () => {
    const [image, labels] = run.inputs;
    const changed = { ...run, inputs: [{ ...image!, digest: sha256("new") }, labels!] };
    expect(why(changed)).toEqual(["file data/btcv/images/case_03.nii.gz changed"]);
    const entries = [
      { name: "case_02.nii.gz", digest: sha256("new") },
      { name: "case_04.nii.gz", digest: sha256("4") },
    ];
    expect(why({ ...run, inputs: [image!, { ...labels!, digest: sha256("t2"), entries }] })).toEqual([
      "file data/btcv/labels/case_02.nii.gz changed",
      "file data/btcv/labels/case_04.nii.gz added",
      "file data/btcv/labels/case_01.nii.gz removed",
    ]);
  });

  it("do not name a file of a module that was only renamed", () => {
    const [image, labels] = run.inputs;
    expect(why({ ...run, inputs: [{ ...image!, path: "elsewhere" }, labels!] })).toEqual([]);
  });

  it("name code and packages", () => {
    const code = {
      ...(run.action.kind === "run" ? run.action.code : expect.fail()),
      digest: sha256("code 2"),
    };
    const [score, dice] = code.files;
    const withCode = (change: Partial<typeof code>): Recipe => ({
      ...run,
      action: { kind: "run", code: { ...code, ...change } },
    });
    expect(why(withCode({ files: [score!, { ...dice!, digest: sha256("new") }] }))).toEqual([
      "code tasks/study/metrics/dice.ts changed",
    ]);
    expect(why(withCode({ files: [score!] }))).toEqual(["code tasks/study/metrics/dice.ts removed"]);
    expect(why(withCode({ packages: [{ name: "zod", version: "4.1.0" }] }))).toEqual([
      "package zod: 4.0.0 → 4.1.0",
    ]);
    expect(why(withCode({ packages: [] }))).toEqual(["package zod: 4.0.0 → (none)"]);
  });

  it("name commands, tools and declarations", () => {
    const cmd = (...argv: string[]): Recipe => ({ ...run, action: { kind: "cmd", argv } });
    expect(why(cmd("bash", "-euo", "pipefail", "-c", "cp a b"), cmd("cp", "a"))).toEqual([
      "command: cp a → cp a b",
    ]);
    expect(why({ ...run, tools: { "nvcc --version": "12.5" } })).toEqual([
      "tool nvcc --version: 12.4 → 12.5",
    ]);
    expect(why({ ...run, outputs: [...run.outputs, { role: "log", path: "x" }] })).toEqual([
      "declaration: outputs log added",
    ]);
    expect(why(cmd("x"))[0]).toBe("declaration: run → cmd");
    const unset: Recipe = { ...run, env: { LANG: "C", TZ: null } };
    expect([why(unset), why(run, unset)]).toEqual([
      ["declaration: env TZ added"],
      ["declaration: env TZ removed"],
    ]);
  });

  it("exist whenever the keys differ", () => {
    const [image, labels] = run.inputs;
    const variants: Recipe[] = [
      { ...run, format: 2 },
      { ...run, inputs: [labels!, image!] },
      { ...run, inputs: [image!, image!, labels!] },
      { ...run, inputs: [{ ...image!, role: "scan" }, labels!] },
      { ...run, outputs: [{ role: "out", path: "scores/" }] },
      { ...run, params: {} },
      { ...run, tools: {} },
    ];
    for (const variant of variants) {
      expect(keyOf(variant)).not.toBe(keyOf(run));
      expect(why(variant).length).toBeGreaterThan(0);
      expect(why(variant).join()).not.toContain("gone from the cache");
    }
  });

  it("fit on a line", () => {
    const long = explain({ kind: "param", path: "p", before: "a\nb", after: "x".repeat(1000) });
    expect(long).toMatch(/^params p: a b → x{60}…$/);
  });
});
