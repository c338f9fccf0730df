/** `run: lq:…`: task modules that come with lq, from whichever folder lq is installed in. */
import { spawnSync } from "node:child_process";
import { cpSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

const MODULES = {
  "tasks/greet.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
import { WORD } from "./lib/word.ts";
export default task({
  run({ output }) {
    writeFileSync(output(), WORD);
  },
});
`,
  "tasks/lib/word.ts": `export const WORD: string = "hello";\n`,
};

const PIPELINE = "version: 1\nrules:\n  greet: { run: lq:tasks/greet.ts, out: greeting.txt }\n";

/** @returns the folder of another installation of this lq, with the task modules given */
function install(modules: { readonly [path: string]: string } = MODULES): string {
  const home = testFolder(modules);
  for (const path of ["package.json", "dist", "src/api.ts"])
    cpSync(HOME + path, join(home, path), { recursive: true });
  symlinkSync(`${HOME}node_modules`, join(home, "node_modules"));
  return home;
}

function run(home: string, { root }: CliProject, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(home, "dist/cli.cjs"), ...words], {
    cwd: root,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

function summary(home: string, project: CliProject): JsonLine {
  return JSON.parse(
    run(home, project, "build", "--json").stdout.trimEnd().split("\n").at(-1) ?? "",
  ) as JsonLine;
}

test("a module has the same key wherever lq is installed, and another key if its code differs", () => {
  const project = cliProject({ "pipeline.yaml": PIPELINE });
  const [one, two] = [install(), install()];
  expect(summary(one, project)).toMatchObject({ ran: 1 });
  expect(project.read("greeting.txt")).toBe("hello");
  expect(summary(two, project)).toMatchObject({ ran: 0, fresh: 1 });

  writeFile(two, "tasks/lib/word.ts", `export const WORD = "good day";\n`);
  expect(run(two, project, "status").stdout).toContain("code lq:tasks/lib/word.ts changed");
  expect(run(one, project, "status").stdout).toContain("fresh");
  expect(summary(two, project)).toMatchObject({ ran: 1 });
  expect(project.read("greeting.txt")).toBe("good day");
  expect(summary(one, project)).toMatchObject({ ran: 0, restored: 1 });
});

test("it has the same key if lq is inside the project, or the project inside lq", () => {
  const home = install();
  const elsewhere = cliProject({ "pipeline.yaml": PIPELINE });
  expect(summary(home, elsewhere)).toMatchObject({ ran: 1 });

  const around = cliProject({ "pipeline.yaml": PIPELINE });
  cpSync(home, around.path("tools/lq"), { recursive: true });
  cpSync(elsewhere.path("cache"), around.path("cache"), { recursive: true });
  expect(summary(around.path("tools/lq"), around)).toMatchObject({ ran: 0, restored: 1 });

  cpSync(elsewhere.root, join(home, "examples/greet"), { recursive: true });
  const { stdout } = run(home, elsewhere, "status", "-C", join(home, "examples/greet"));
  expect(stdout).toContain("1 task fresh");
});

test("an unknown module is refused with its place and a suggestion", () => {
  const home = install();
  const complaint = (name: string): string => {
    const project = cliProject({ "pipeline.yaml": PIPELINE.replace("lq:tasks/greet.ts", name) });
    const { status, stderr } = run(home, project, "build");
    expect(status).toBe(2);
    return stderr;
  };
  expect(complaint("lq:tasks/great.ts")).toMatch(
    /^pipeline.yaml:3:17: error: there is no module "lq:tasks\/great.ts"\n.*\n.*\n {2}hint: did you mean "lq:tasks\/greet.ts"\?/,
  );
  expect(complaint("tasks/greet.ts")).toContain('hint: lq comes with one: write "lq:tasks/greet.ts"');
  for (const outside of ["lq:../x.ts", "lq:tasks/../../x.ts", "lq:/etc/passwd", "lq:./"])
    expect(complaint(outside)).toContain('3:17: error: "run" must be the path of a module inside lq');
  symlinkSync(cliProject({ "x.ts": "" }).path("x.ts"), join(home, "tasks/link.ts"));
  expect(complaint("lq:tasks/link.ts")).toContain('there is no module "lq:tasks/link.ts"');
});

test("an error in a module is reported with the module's file", () => {
  const home = install({ ...MODULES, "tasks/lib/word.ts": "export const WORD = = 1;\n" });
  const { status, stderr } = run(home, cliProject({ "pipeline.yaml": PIPELINE }), "build");
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /tasks\/lib\/word\.ts:1:21: error: Unexpected "="\n {2}1 \| export const WORD = = 1;/,
  );
});
