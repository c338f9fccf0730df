/** Values of axes and params reach tasks as they are written, and a value that nothing reads is refused. */
import { existsSync, readdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { load } from "../helpers/load.ts";

/** Prints the params of its task as JSON. */
const SHOW = `const { readFileSync } = require("node:fs");
const { params } = JSON.parse(readFileSync(process.env.LQ_TASK_FILE));
console.log(JSON.stringify(params));
`;

function shown(axis: string, files: { readonly [path: string]: string } = {}, field = ""): CliProject {
  return cliProject({
    "show.cjs": SHOW,
    "pipeline.yaml": [
      "version: 1",
      ...(files["params.yaml"] === undefined ? [] : ["params: params.yaml"]),
      "rules:",
      `  show: { each: { n: ${axis} }, cmd: "node show.cjs > \${out}", with: { n: "\${n${field}}" }, out: "o/\${n}.json" }`,
    ].join("\n"),
    ...files,
  });
}

async function written(project: CliProject, ...words: string[]): Promise<{ [name: string]: unknown }> {
  const { code, stderr } = await project.lq("build", ...words);
  expect(code, stderr).toBe(0);
  const files = readdirSync(project.path("o")).sort();
  return Object.fromEntries(
    files.map((file) => [file, (JSON.parse(project.read(`o/${file}`)) as { n: unknown }).n]),
  );
}

describe("an axis", () => {
  test("of a list keeps the type of a number and the text of any other form", async () => {
    expect(await written(shown("[2, 0.5, true, 001, 1.10, '3', x]"))).toEqual({
      "001.json": "001",
      "0.5.json": 0.5,
      "1.10.json": "1.10",
      "2.json": 2,
      "3.json": "3",
      "true.json": true,
      "x.json": "x",
    });
  });

  test.each(["ids.yaml", "ids.json"])("of %s does so too", async (file) => {
    const numbers = file.endsWith("json") ? '["001", 1.10, 7]' : "[001, 1.10, 7]";
    const project = shown(`{ in: ${file}, at: ids }`, { [file]: `{ "ids": ${numbers} }` });
    expect(await written(project)).toEqual({ "001.json": "001", "1.10.json": "1.10", "7.json": 7 });
  });

  test("gives the digits of an integer field with zeros before it, and numbers for other fields", async () => {
    const item = "{ id: a, patient: 0042, dose: 1.50 }";
    const fields = async (field: string) =>
      written(shown("{ in: f.yaml, at: cases }", { "f.yaml": `cases: [${item}]` }, field));
    expect(await fields(".patient")).toEqual({ "a.json": "0042" });
    expect(await fields(".dose")).toEqual({ "a.json": 1.5 });
  });

  test.each(["9007199254740993", '{ "id": "a", "patient": 9007199254740993 }'])(
    "refuses an integer of a JSON file that would lose its last digits: %s",
    async (item) => {
      const project = shown("{ in: ids.json, at: ids }", { "ids.json": `{ "ids":\n [${item}] }` });
      const { code, stderr } = await project.lq("build");
      expect(code).toBe(2);
      const column = 3 + item.indexOf("9007");
      expect(stderr).toContain(
        `ids.json:2:${column}: error: 9007199254740993 is too large: its last digits would be lost`,
      );
      expect(existsSync(project.path("o"))).toBe(false);
    },
  );

  test("reads a JSON file that begins with a byte order mark", async () => {
    const project = shown("{ in: ids.json, at: ids }", { "ids.json": '\uFEFF{ "ids": ["a"] }' });
    expect(await written(project)).toEqual({ "a.json": "a" });
  });

  test("goes over the items of a param, with profiles and --set over it", async () => {
    const files = { "params.yaml": "seeds: [1, 2]", "profiles/more.yaml": "seeds: [3, { id: a, s: 4 }]" };
    expect(await written(shown("{ items: seeds }", files))).toEqual({ "1.json": 1, "2.json": 2 });
    const other = await written(shown("{ items: seeds }", files), "--profile", "more");
    expect(other).toEqual({ "3.json": 3, "a.json": "a" });
    expect(await written(shown("{ items: seeds }", files), "--set", "seeds=[5]")).toEqual({ "5.json": 5 });
  });

  test("of items says when the param is no list", async () => {
    const { code, stderr } = await shown("{ items: m }", { "params.yaml": "m: { a: 1 }" }).lq("build");
    expect(code).toBe(2);
    expect(stderr).toContain('param "m" is not a list: it has no items');
    expect(stderr).toContain("hint: { keys: m } goes over the keys of a map");
  });
});

describe("--set", () => {
  const project = () =>
    cliProject({
      "params.yaml": 'a: { s: old, "b.c": { d: 1 } }\nunread: 1\n',
      "profiles/wrong.yaml": "a:\n  s: new\nunraed: 2\n",
      "show.cjs": SHOW,
      "pipeline.yaml":
        "version: 1\nparams: params.yaml\nrules: { r: { cmd: 'node show.cjs > ${out}', with: { a: '${a}' }, out: o.json } }\n",
    });
  const set = async (...assignments: string[]) => {
    const own = project();
    const words = assignments.flatMap((each) => ["--set", each]);
    const { code, stderr } = await own.lq("build", ...words);
    return code === 0 ? (JSON.parse(own.read("o.json")) as { a: unknown }).a : stderr;
  };

  test.each([
    ["a.s=#5", "#5"],
    ["a.s=", ""],
    ["a.s=a #b", "a #b"],
    ["a.s=%x", "%x"],
    ["a.s=@x", "@x"],
    ["a.s=note: one", "note: one"],
    ["a.s=- x", "- x"],
    ["a.s=a=b", "a=b"],
    ["a.s='7'", "7"],
    ["a.s=7", 7],
    ["a.s=1e-3", 0.001],
    ["a.s=true", true],
    ["a.s=null", null],
    ["a.s=[1, x]", [1, "x"]],
    ["a.s={ x: 1 }", { x: 1 }],
  ])("%s", async (assignment, value) => {
    expect(await set(assignment)).toEqual({ s: value, "b.c": { d: 1 } });
  });

  test("reaches a key with dots in quotes, and says so where they are missing", async () => {
    expect(await set('a."b.c".d=2')).toEqual({ s: "old", "b.c": { d: 2 } });
    expect(await set("a.b.c.d=2")).toContain('hint: a key with dots needs quotes: "b.c"');
  });

  test("reaches a param that only the settings of Slurm read", async () => {
    const own = project();
    own.write("pipeline.yaml", `slurm: { jobs: "\${unread}" }\n${own.read("pipeline.yaml")}`);
    expect((await own.lq("build", "--set", "unread=20")).code).toBe(0);
  });

  test("adds a key to a map that a rule reads as a whole", async () => {
    expect(await set("a.other=1")).toEqual({ s: "old", "b.c": { d: 1 }, other: 1 });
  });

  test("refuses a param that no rule reads, and a number that may mean a text", async () => {
    expect(await set("unread=2")).toContain('error: --set unread=2: no rule reads param "unread"');
    expect(await set("zebra=2")).toContain('error: --set zebra=2: no rule reads param "zebra"');
    expect(await set("a.s=007")).toContain("007 may mean a text or the number 7");
  });

  test("a profile's param that no rule reads is refused with its place", async () => {
    const { code, stderr } = await project().lq("build", "--profile", "wrong");
    expect(code).toBe(2);
    expect(stderr).toContain('profiles/wrong.yaml:3:1: error: no rule reads param "unraed"');
  });

  test("the example of --help is a param that the study reads", async () => {
    const { stdout } = await project().lq("build", "--help");
    const [, example = ""] = /--set (\S+=\d+) \(repeatable\)/.exec(stdout.replace(/\s+/g, " ")) ?? [];
    expect(load(HOME, [example]).params).toMatchObject({ training: { pretrain: { epochs: 3 } } });
  });
});

describe("~", () => {
  const pipeline = (rule: string) => cliProject({ "pipeline.yaml": `version: 1\nrules: { r: ${rule} }\n` });

  test.each([
    ["an output", '{ cmd: "touch ${out}", out: ~/o.txt }'],
    ["an input", '{ cmd: "cp ${in} ${out}", in: ~/i.txt, out: o.txt }'],
  ])("is refused at the beginning of %s", async (_, rule) => {
    const project = pipeline(rule);
    const { code, stderr } = await project.lq("build");
    expect(code).toBe(2);
    expect(stderr).toContain('begins with "~", which stands for a home in a shell only');
    expect(existsSync(project.path("~"))).toBe(false);
  });

  test("is the home of the user in the folder of the cache", async () => {
    const home = join(tmpdir(), `lq-home-${process.pid}`);
    expect(homedir()).not.toBe(home);
    const project = cliProject({
      "pipeline.yaml":
        'version: 1\ncache: { folder: ~/store }\nrules: { r: { cmd: "echo a > ${out}", out: o.txt } }\n',
    });
    expect((await project.lqIn({ HOME: home }, "build")).code).toBe(0);
    expect(existsSync(join(home, "store/objects"))).toBe(true);
    expect(existsSync(project.path("~"))).toBe(false);
  });
});
