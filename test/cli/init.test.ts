/** `lq init` writes a project that builds. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";

const TASKS = ["collect", "measure:a", "measure:b"];

const TABLES = {
  python: "case,values,mean\na,3,29.0\nb,3,34.666666666666664\n",
  typescript: "case,values,mean\na,3,29\nb,4,27.75\n",
};

describe.each(["python", "typescript"] as const)("%s", (language) => {
  test.skipIf(language === "python" && PYTHON === null)("builds, and is then fresh", async () => {
    const project = cliProject({});
    expect(await project.lq("init", "--language", language)).toMatchObject({ code: 0, stderr: "" });
    const lines = await project.json("build");
    const ran = lines.filter(({ outcome }) => outcome === "ran").map(({ task }) => task as string);
    expect(ran.sort()).toEqual(TASKS);
    expect(project.read("table.csv")).toBe(TABLES[language]);
    expect(lines.filter(({ type }) => type === "warning")).toEqual([]);
    expect((await project.json("build")).filter(({ outcome }) => outcome === "ran")).toEqual([]);
  });
});

test("the schema that the first line names is there, and git ignores what lq makes", async () => {
  const project = cliProject({});
  await project.lq("init", "new");
  const [first = ""] = project.read("new/pipeline.yaml").split("\n");
  const [, schema = ""] = /^# yaml-language-server: \$schema=(.+)$/.exec(first) ?? [];
  expect(JSON.parse(readFileSync(schema, "utf8"))).toHaveProperty("$schema");
  expect(project.read("new/.gitignore")).toContain("/cache/\n/measures/\n/table.csv\n");
  expect(project.has("new/.github/workflows/lq.yml")).toBe(true);
});

test("replaces no file, and then writes none", async () => {
  const project = cliProject({ "measure.py": "mine\n" });
  const { code, stderr } = await project.lq("init");
  expect(code).toBe(2);
  expect(stderr).toContain("has measure.py");
  expect(project.read("measure.py")).toBe("mine\n");
  expect(project.has("pipeline.yaml")).toBe(false);
});

test("-n writes nothing", async () => {
  const project = cliProject({});
  expect((await project.lq("init", "-n")).stdout).toContain("would write pipeline.yaml\n");
  expect(project.has("pipeline.yaml")).toBe(false);
});
