import { describe, expect, test } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import type { PendingExpansion, Task } from "../../src/model/model.ts";
import { testFolder } from "../helpers/folder.ts";
import { graphOf, load } from "../helpers/load.ts";
import { expand } from "../../src/expand/expand.ts";

const ids = (tasks: Iterable<{ readonly id: string }>) => [...tasks].map(({ id }) => id).sort();
const paths = (list: Task["inputs"]) => list.map(({ path }) => path);

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

test("a path with a list, of an axis field or of a param, becomes one path for each item", () => {
  const graph = graphOf({
    "pipeline.yaml": [
      "version: 1",
      "params: params.yaml",
      'rules: { r: { each: { c: { in: c.json, at: "cases[*]" } }, cmd: x, in: ["${c.parts}", "${m.names}.txt"], out: "o/${c}" } }',
    ].join("\n"),
    "params.yaml": 'm: { names: ["001", b] }',
    "c.json": '{ "cases": [{ "id": "a", "parts": ["1.gz", "2.gz"] }] }',
  });
  expect(paths(only(graph.tasks).inputs)).toEqual(["1.gz", "2.gz", "001.txt", "b.txt"]);
});

describe("axes", () => {
  const axis = (spec: string, files: { readonly [path: string]: string } = {}) => {
    const graph = graphOf({
      "pipeline.yaml": `version: 1\nparams: params.yaml\nrules: { r: { each: { n: ${spec} }, cmd: x, out: "o/\${n}" } }`,
      "params.yaml": "m: { b: 1, a: 2 }",
      ...files,
    });
    return graph.tasks.map(({ bindings }) => bindings[0]?.text);
  };

  test("a list, numbers as they are written", () =>
    expect(axis("[b, 1, 0x10, true]")).toEqual(["b", "1", "0x10", "true"]));
  test("keys of a param, in the order of the file", () => expect(axis("{ keys: m }")).toEqual(["b", "a"]));
  test("keys of a param, without those that a profile removes", () =>
    expect(axis("{ keys: m }", { "params.yaml": "m: { b: 1, c: null, a: 2 }" })).toEqual(["b", "a"]));
  test("both together", () => expect(axis("[base, { keys: m }, z]")).toEqual(["base", "b", "a", "z"]));

  const tree = {
    "s/b.txt": "",
    "s/a.txt": "",
    "s/.hidden.txt": "",
    "s/c.md": "",
    "s/d/e.txt": "",
    "s/d/x/e.txt": "",
  };
  test("a glob binds what the * stands for", () =>
    expect(axis('{ glob: "s/*.txt" }', tree)).toEqual(["a", "b"]));
  test("a * among the folders", () => expect(axis('{ glob: "s/*/e.txt" }', tree)).toEqual(["d"]));
  test("folders", () => expect(axis('{ glob: "s/*/" }', tree)).toEqual(["d"]));
  test("** binds the path", () =>
    expect(axis('{ glob: "s/**/*.txt" }', tree)).toEqual(["a", "b", "d/e", "d/x/e"]));
  test("** with a name, or a folder, after it", () => {
    expect(axis('{ glob: "s/**/e.txt" }', tree)).toEqual(["d", "d/x"]);
    expect(axis('{ glob: "s/**/" }', tree)).toEqual(["d", "d/x"]);
    expect(axis('{ glob: "**/x/e.txt" }', tree)).toEqual(["s/d"]);
  });
  test("** goes neither into hidden folders nor into lq's own", () => {
    const hidden = { "s/.git/a.txt": "", "cache/a.txt": "", "s/cache/a.txt": "", "s/b/.keep/a.txt": "" };
    expect(axis('{ glob: "**/*.txt" }', hidden)).toEqual(["s/cache/a"]);
    expect(axis('{ glob: "**/.keep/a.txt" }', hidden)).toEqual(["s/b"]);
    expect(axis('{ glob: "cache/**/*.txt" }', hidden)).toEqual([]);
  });
  test("no match is no task", () => expect(axis('{ glob: "nothing/*.txt" }', tree)).toEqual([]));
  test("names with characters that are special in a shell", () => {
    const odd = { "s/a b.txt": "", "s/it's.txt": "", "s/-n.txt": "", "s/é\n.txt": "", "s/$(id).txt": "" };
    expect(axis('{ glob: "s/*.txt" }', odd)).toEqual(["$(id)", "-n", "a b", "it's", "é\n"]);
  });

  const file =
    '{ "cases": [{ "id": "a", "f": 1 }, { "id": 7 }], "folds": [{ "val": ["x", "y"] }, { "val": ["z"] }] }';
  test.each([
    ["cases[*].id", ["a", "7"]],
    ["cases[*]", ["a", "7"]],
    ["cases", ["a", "7"]],
    ["folds[*].val[*]", ["x", "y", "z"]],
    ["folds[1].val", ["z"]],
  ])("in a source file, at %s", (at, values) => {
    expect(axis(`{ in: f.json, at: "${at}" }`, { "f.json": file })).toEqual(values);
  });

  test("an axis may refer to those before it", () => {
    const graph = graphOf({
      "pipeline.yaml": `
version: 1
params: params.yaml
rules:
  r:
    each: { d: { keys: sets }, f: [0, 1], label: { keys: "sets[d].labels" }, c: { in: "\${d}.json", at: "folds[\${f}].val" } }
    cmd: x
    out: "o/\${d}/\${f}/\${label}/\${c}"`,
      "params.yaml": "sets: { s: { labels: { l: 1, k: 2 } } }",
      "s.json": file,
    });
    expect(ids(graph.tasks)).toEqual([
      "r:s/0/k/x",
      "r:s/0/k/y",
      "r:s/0/l/x",
      "r:s/0/l/y",
      "r:s/1/k/z",
      "r:s/1/l/z",
    ]);
    expect(graph.files).toEqual(["pipeline.yaml", "params.yaml", "s.json"]);
  });
});

describe("a task", () => {
  const graph = graphOf({
    "pipeline.yaml": `
version: 1
params: params.yaml
axes: { g: { keys: generators } }
rules:
  make:
    each: [g]
    when: "\${generators[g].kind} == net"
    cmd: "run \${generators[g].flags} \${g} \${in.a} > \${out}"
    in: { a: "a/\${g}", b: ["../up/\${g}.txt", "/abs/./x/"] }
    out: "./o//\${g}"
    with:
      whole: "\${generators[g]}"
      text: "w=\${generators[g].window}"
      fixed: "\${generators.b.window}"
      item: "\${generators.b.window.1}"
      deep: { list: ["\${g}", 1] }
    env: { A: "\${g}", HOME: null }`,
    "params.yaml": `generators: { a: { kind: net, window: 3, flags: "-n 'x y'" }, b: { kind: other, window: [1, 2] } }`,
  });
  const task = only(graph.tasks);

  test("exists only if `when` is true", () => expect(task.id).toBe("make:a"));
  test("has its params by value, with where they came from", () => {
    expect(task.params).toEqual({
      whole: { value: { kind: "net", window: 3, flags: "-n 'x y'" }, origin: "generators.a" },
      text: { value: "w=3", origin: null },
      fixed: { value: [1, 2], origin: "generators.b.window" },
      item: { value: 2, origin: "generators.b.window.1" },
      deep: { value: { list: ["a", 1] }, origin: null },
    });
  });
  test("has paths in normal form", () => {
    const up = graph.pipeline.root.replace(/[^/]*$/, "up");
    expect(paths(task.inputs)).toEqual(["a/a", `${up}/a.txt`, "/abs/x/"]);
    expect(paths(task.outputs)).toEqual(["o/a"]);
  });
  test("has its command with values quoted, and in and out left open", () => {
    const { action } = task;
    const parts = action.kind === "cmd" && "parts" in action.command ? action.command.parts : [];
    const text = parts.map((part) => (part.kind === "text" ? part.text : `<${part.kind}>`)).join("");
    expect(text).toBe(`run '-n '\\''x y'\\''' a <in> > <out>`);
  });
  test("has its environment", () => expect(task.env).toEqual({ A: "a", HOME: null }));
});

describe("a graph with pending expansions", () => {
  const files = {
    "pipeline.yaml": `
version: 1
axes: { set: [x, y] }
rules:
  list: { each: [set], cmd: x, out: "cases/\${set}.json" }
  folds: { each: [set], cmd: x, in: "cases/\${set}.json", out: "folds/\${set}.json" }
  image: { each: { set: set, case: { in: "cases/\${set}.json", at: "cases[*]" } }, cmd: x, in: "\${case.raw}", out: "images/\${set}/\${case}.nii" }
  train:
    each: { set: set, fold: { in: "folds/\${set}.json", at: "folds[*]" } }
    cmd: x
    in: { images: "images/\${set}/\${fold.train}.nii" }
    with: { cases: "\${fold.train}" }
    out: "models/\${set}/\${fold}"
  table: { cmd: x, in: images/, out: table.md }
  one: { cmd: x, in: images/x/a.nii, out: one.txt }`,
    "raw/a": "",
    "raw/b": "",
  };
  const cases = {
    cases: [
      { id: "a", raw: "raw/a" },
      { id: "b", raw: "raw/b" },
    ],
  };
  const expansion = (graph: ReturnType<typeof graphOf>, id: string): PendingExpansion =>
    only(graph.expansions.filter((expansion) => expansion.id === id));
  const task = (graph: ReturnType<typeof graphOf>, id: string): Task => {
    const found = graph.task(id);
    if (!found) throw new Error(`no task ${id}`);
    return found;
  };

  test("knows which outputs are upcoming", () => {
    const graph = graphOf(files);
    graph.check();
    expect(ids(graph.tasks)).toEqual(["folds:x", "folds:y", "list:x", "list:y", "one", "table"]);
    expect(ids(graph.expansions)).toEqual(["image:x/*", "image:y/*", "train:x/*", "train:y/*"]);
    expect(ids(graph.expansionsFor("images/x/a.nii"))).toEqual(["image:x/*"]);
    expect(ids(graph.expansionsFor("images/"))).toEqual(["image:x/*", "image:y/*"]);
    expect(ids(graph.expansionsFor("images/y/deep/"))).toEqual(["image:y/*"]);
    expect(ids(graph.expansionsFor(""))).toEqual(ids(graph.expansions));
    expect(graph.expansionsFor("images/x/a.txt")).toEqual([]);
    expect(graph.expansionsFor("cases/x.json")).toEqual([]);
    expect(graph.dependencies(task(graph, "table"))).toEqual([]);
  });

  test("gets tasks when an axis file is known", () => {
    const graph = graphOf(files);
    const made = graph.expand(expansion(graph, "image:x/*"), cases);
    expect(ids(made)).toEqual(["image:x/a", "image:x/b"]);
    expect(paths(task(graph, "image:x/b").inputs)).toEqual(["raw/b"]);
    expect(ids(graph.dependencies(task(graph, "table")))).toEqual(["image:x/a", "image:x/b"]);
    expect(ids(graph.dependencies(task(graph, "one")))).toEqual(["image:x/a"]);
    expect(ids(graph.expansionsFor("images/"))).toEqual(["image:y/*"]);
    expect(graph.producer("images/x/b.nii")?.id).toBe("image:x/b");
    expect(graph.tasks.map(({ index }) => index)).toEqual(graph.tasks.map((_, i) => i));
    graph.check();
  });

  test("makes one path for each item of a field that is a list", () => {
    const graph = graphOf(files);
    const made = graph.expand(expansion(graph, "train:x/*"), {
      folds: [
        { id: 0, train: ["a", "b"] },
        { id: 1, train: [] },
      ],
    });
    expect(ids(made)).toEqual(["train:x/0", "train:x/1"]);
    expect(made[0]?.inputs).toEqual([
      { role: "images", list: true, path: "images/x/a.nii" },
      { role: "images", list: true, path: "images/x/b.nii" },
    ]);
    expect(made[0]?.params["cases"]).toEqual({ value: ["a", "b"], origin: null });
    expect(made[1]?.inputs).toEqual([]);
  });

  test("says what to do about texts where fields are wanted, and about a table", () => {
    const said = (act: () => void): string | undefined => {
      try {
        act();
      } catch (error) {
        if (error instanceof UserError) return error.diagnostics[0]?.hint;
      }
      return undefined;
    };
    const graph = graphOf(files);
    expect(said(() => void graph.expand(expansion(graph, "image:x/*"), { cases: ["a"] }))).toContain(
      'let the axis read maps, as in at: "cases[*]" instead of',
    );
    const table = {
      "pipeline.yaml": `version: 1
rules: { r: { each: { n: { in: cases.csv, at: "[*]" } }, cmd: "touch \${out}", out: "o/\${n}" } }`,
      "cases.csv": "id,spacing\na,1.5\n",
    };
    expect(said(() => void graphOf(table))).toBe(
      "an axis can read JSON and YAML: write a rule that turns the table into JSON",
    );
  });

  const refusals: readonly (readonly [string, unknown, RegExp])[] = [
    ["nothing there", {}, /cases\/x\.json has no "cases", which an axis reads/],
    ["no list", { cases: 3 }, /"cases" in cases\/x\.json, which an axis reads, is not a list/],
    ["no id", { cases: [{ name: "a" }] }, /neither text, nor a number, nor a map with an "id"/],
    ["twice", { cases: ["a", "a"] }, /value "a" is twice/],
    ["out of the project", { cases: ["../../etc/passwd"] }, /"\.\.\/\.\.\/etc\/passwd".* part/],
    ["absolute", { cases: ["/etc/passwd"] }, /absolute/],
    ["NUL", { cases: ["a\0b"] }, /NUL/],
    ["empty", { cases: [""] }, /is empty/],
    [
      "a field out of the project",
      { cases: [{ id: "a", raw: "../x" }] },
      /"\.\.\/x" cannot be part of a path/,
    ],
    ["texts where a field is wanted", { cases: ["a"] }, /no field "case\.raw" in the value "a"/],
    ["no such field", { cases: [{ id: "a", row: "x" }] }, /no field "case\.raw" in the value "a"/],
  ];
  test.each(refusals)("refuses an axis file with %s, and does not change", (_, content, message) => {
    const graph = graphOf(files);
    const before = ids(graph.tasks);
    const it = expansion(graph, "image:x/*");
    expect(() => graph.expand(it, content as never)).toThrow(UserError);
    expect(() => graph.expand(it, content as never)).toThrow(message);
    expect(ids(graph.tasks)).toEqual(before);
    expect(ids(graph.expand(it, cases))).toEqual(["image:x/a", "image:x/b"]);
  });

  test("reads an axis file at once if it turns out to be a source", () => {
    const graph = graphOf({
      "pipeline.yaml": `
version: 1
rules:
  list: { cmd: x, out: list.json }
  part: { each: { p: { in: list.json, at: parts } }, cmd: x, out: "parts/\${p}.json" }
  use: { each: { u: { in: parts/z.json, at: items } }, cmd: x, out: "use/\${u}" }`,
      "parts/z.json": '{ "items": ["q"] }',
    });
    expect(ids(graph.expansions)).toEqual(["part:*", "use:*"]);
    expect(ids(graph.expand(expansion(graph, "part:*"), { parts: ["a"] }))).toEqual(["part:a", "use:q"]);
    expect(graph.expansions).toEqual([]);
    graph.check();
  });

  test("an expansion that waits for what it would make is a cycle", () => {
    const graph = graphOf({
      "pipeline.yaml": `
version: 1
rules:
  list: { cmd: x, in: all/, out: list.json }
  part: { each: { p: { in: list.json, at: parts } }, cmd: x, out: "all/\${p}" }`,
    });
    expect(() => graph.check()).toThrow("cycle: list → part:* → list");
  });

  test.each(["x: { in: raw/, out: list.json, cmd: x }", "x: { in: parts/a, out: list.json, cmd: x }"])(
    "an expansion that waits for what it need not make is none: %s",
    (rule) => {
      const graph = graphOf({
        "pipeline.yaml": `
version: 1
rules:
  ${rule}
  part: { each: { p: { in: list.json, at: parts } }, cmd: x, out: "\${p}/\${p}" }`,
        "raw/a": "",
        "parts/a": "",
      });
      graph.check();
      graph.expand(expansion(graph, "part:*"), { parts: ["b"] });
      graph.check();
    },
  );

  test("two tasks that come to have one output are refused", () => {
    const graph = graphOf({
      "pipeline.yaml": `
version: 1
rules:
  list: { cmd: x, out: list.json }
  part: { each: { p: { in: list.json, at: parts } }, cmd: x, out: "all/\${p}" }
  a: { cmd: x, out: all/a }`,
    });
    graph.check();
    graph.expand(only(graph.expansions), { parts: ["a"] });
    expect(() => graph.check()).toThrow('rules "a" and "part" both make "all/a"');
  });
});

describe("directories", () => {
  test("what is inside an output folder comes from its task", () => {
    const graph = graphOf({
      "pipeline.yaml": `
version: 1
rules:
  a: { cmd: x, out: d/ }
  b: { cmd: x, in: d/deep/file, out: b }
  c: { cmd: x, in: d/deep/, out: c }
  e: { cmd: x, in: [d/, b], out: e }`,
    });
    graph.check();
    for (const id of ["b", "c"]) expect(ids(graph.dependencies(graph.task(id)!))).toEqual(["a"]);
    expect(ids(graph.dependencies(graph.task("e")!))).toEqual(["a", "b"]);
    expect(ids(graph.producersUnder(""))).toEqual(["a", "b", "c", "e"]);
  });
});

test("a check of a selection leaves the inputs of other tasks alone", () => {
  const graph = expand(
    load(
      testFolder({
        "pipeline.yaml":
          "version: 1\nrules:\n  a: { cmd: x, out: a }\n  b: { cmd: x, in: not-there, out: b }",
      }),
    ),
  );
  graph.check({ tasks: new Set([graph.task("a")!]), expansions: new Set() });
  expect(() => graph.check()).toThrow('nothing makes "not-there"');
});

test("100,000 tasks", () => {
  const values = Array.from({ length: 50_000 }, (_, i) => `f${i}`).join(", ");
  const graph = graphOf({
    "pipeline.yaml": `
version: 1
axes: { n: [${values}] }
rules:
  a: { each: [n], cmd: "cp \${in} \${out}", in: "src/\${n}.txt", out: "mid/\${n}.txt" }
  b: { each: [n], cmd: "cp \${in} \${out}", in: "mid/\${n}.txt", out: "out/\${n}.txt" }
  c: { cmd: "ls \${in} > \${out}", in: out/, out: final.txt }`,
  });
  expect(graph.tasks).toHaveLength(100_001);
  expect(graph.dependencies(graph.task("c")!)).toHaveLength(50_000);
  expect(graph.tasks[7]?.action).toBe(graph.tasks[8]?.action);
});
