import { describe, expect, test } from "vitest";
import type { PendingExpansion } from "../../src/model/model.ts";
import { select, suggest } from "../../src/select/select.ts";
import { graphOf } from "../helpers/load.ts";

const files = {
  "pipeline.yaml": `
version: 1
axes: { set: [x, y] }
default: [tables/, note.txt]
rules:
  list: { each: [set], cmd: x, out: "cases/\${set}.json" }
  image: { each: { set: set, case: { in: "cases/\${set}.json", at: cases } }, cmd: x, out: "images/\${set}/\${case}.nii" }
  model: { each: [set], cmd: x, out: "models/\${set}/" }
  table: { each: [set], cmd: x, in: ["images/\${set}/", "models/\${set}/weights"], out: ["tables/\${set}.md", "tables/\${set}.csv"] }
  note: { cmd: x, out: note.txt }
  other: { cmd: x, out: other/o.txt }`,
};

function picked(targets: readonly string[], cwd = "", expanded = false) {
  const graph = graphOf(files);
  if (expanded) for (const expansion of graph.expansions) graph.expand(expansion, { cases: ["a", "b"] });
  const { tasks, expansions, unmatched } = select(graph, targets, cwd);
  const ids = (list: Iterable<{ readonly id: string }>) =>
    [...list]
      .map(({ id }) => id)
      .sort()
      .join(" ");
  return {
    tasks: ids(tasks),
    expansions: ids(expansions as Iterable<PendingExpansion>),
    unmatched: unmatched.map(({ text }) => text).join(" "),
  };
}

const nothing = { expansions: "", unmatched: "" };
const table = { tasks: "list:x model:x table:x", expansions: "image:x/*", unmatched: "" };

describe("a target", () => {
  test("none: the default", () => {
    const tasks = "list:x list:y model:x model:y note table:x table:y";
    expect(picked([])).toEqual({ tasks, expansions: "image:x/* image:y/*", unmatched: "" });
  });
  test("an output", () => expect(picked(["tables/x.md"])).toEqual(table));
  test("an output, from another folder", () => {
    expect(picked(["x.md"], "tables")).toEqual(table);
    expect(picked(["../../tables/./x.csv"], "images/x")).toEqual(table);
  });
  test("a task id", () => expect(picked(["table:x"])).toEqual(table));
  test("a rule", () => expect(picked(["list"])).toEqual({ ...nothing, tasks: "list:x list:y" }));
  test("a rule with a pending expansion", () => {
    expect(picked(["image"])).toEqual({
      tasks: "list:x list:y",
      expansions: "image:x/* image:y/*",
      unmatched: "",
    });
  });
  test("a folder, with and without its slash", () => {
    expect(picked(["cases/"])).toEqual({ ...nothing, tasks: "list:x list:y" });
    expect(picked(["cases"])).toEqual({ ...nothing, tasks: "list:x list:y" });
    expect(picked(["."], "cases")).toEqual({ ...nothing, tasks: "list:x list:y" });
  });
  test("a folder that is an output, and what is in it", () => {
    for (const target of ["models/x/", "models/x", "models/x/deep/file"]) {
      expect(picked([target])).toEqual({ ...nothing, tasks: "model:x" });
    }
  });
  test("a glob of outputs stays within a folder", () => {
    expect(picked(["*/x.md"])).toEqual(table);
    expect(picked(["*.txt"])).toEqual({ ...nothing, tasks: "note" });
  });
  test("a glob of ids and rules", () => {
    expect(picked(["list:*"])).toEqual({ ...nothing, tasks: "list:x list:y" });
    expect(picked(["{note,other}"])).toEqual({ ...nothing, tasks: "note other" });
    expect(picked(["image:x/*"], "", true)).toEqual({ ...nothing, tasks: "image:x/a image:x/b list:x" });
  });
  test("an output or a task that a pending expansion may bring", () => {
    const one = { tasks: "list:x", expansions: "image:x/*", unmatched: "" };
    expect(picked(["images/x/b.nii"])).toEqual(one);
    expect(picked(["image:x/b"])).toEqual(one);
    expect(picked(["images/x/*.nii"])).toEqual(one);
    for (const glob of ["image:x/*", "image:x/b*", "image:x/{a,b}"])
      expect(picked([glob])).toMatchObject(one);
    const all = { tasks: "list:x list:y", expansions: "image:x/* image:y/*", unmatched: "" };
    for (const glob of ["image:*", "im*:x/b", "*:x/b", "*_case_01"]) expect(picked([glob])).toEqual(all);
    expect(picked(["tabel:*", "tables/*.dm"]).unmatched).toBe("tabel:* tables/*.dm");
    expect(picked(["images/x/b.nii"], "", true)).toEqual({ ...nothing, tasks: "image:x/b list:x" });
  });
  test("a target that nothing makes", () => {
    expect(picked(["tabel", "note", "images/b.txt"])).toEqual({
      tasks: "note",
      expansions: "",
      unmatched: "tabel images/b.txt",
    });
    expect(picked(["images/x/c.nii"], "", true).unmatched).toBe("images/x/c.nii");
  });
});

test("did you mean", () => {
  const graph = graphOf(files);
  expect(suggest(graph, "tabel", "")).toBe("table");
  expect(suggest(graph, "tables/x.dm", "")).toBe("tables/x.md");
  expect(suggest(graph, "something else", "")).toBeUndefined();
  expect(suggest(graph, "x.m", "tables")).toBe("x.md");
  expect(suggest(graph, "tables/x.md", "tables")).toBe("x.md");
});
