/** `lq run`: one task by hand, in this terminal. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { HOME } from "../helpers/bundle.ts";

const FILES = {
  "pipeline.yaml": `version: 1
rules:
  first: { cmd: 'echo one > \${out}', out: one.txt }
  second:
    cmd: 'read -r word; echo "$word $(cat \${in.text}) $EXTRA $OMP_NUM_THREADS" > \${out.text}'
    in: { text: one.txt }
    out: { text: two.txt }
    env: { EXTRA: "it's set" }
    slots: { cpu: 1 }
  module: { run: m.ts, in: one.txt, out: three.txt }
`,
  "m.ts":
    'import { writeFileSync } from "node:fs";\nimport { task } from "lq";\n' +
    'export default task({ run({ log, output }) { log("from the module"); writeFileSync(output(), "x"); } });\n',
};

test("runs one task with the terminal's input, and records nothing", async () => {
  const project = cliProject(FILES);
  const run = (input: string, ...words: string[]) =>
    spawnSync(process.execPath, [`${HOME}dist/cli.cjs`, ...words], {
      cwd: project.root,
      input,
      encoding: "utf8",
    });
  expect(run("", "run", "second").stderr).toContain("the input one.txt of second is not there");
  await project.built("first");
  const ran = run("hello\n", "run", "two.txt");
  expect(ran.status).toBe(0);
  const [, output = ""] = /nothing is recorded; it wrote to (\S+)/.exec(ran.stderr) ?? [];
  expect(readFileSync(output, "utf8")).toBe("hello one it's set 1\n");
  expect(project.has("two.txt")).toBe(false);
  expect((await project.json("status", "second"))[1]).toMatchObject({ task: "second", state: "missing" });

  const printed = run("", "run", "second", "--print");
  expect(printed.status).toBe(0);
  const again = spawnSync("bash", ["-c", printed.stdout], { input: "again\n", encoding: "utf8" });
  expect([again.status, again.stderr]).toEqual([0, ""]);

  const shell = run(
    'read -r a < "$LQ_IN_text"; echo "$a in shell" > "$LQ_OUT_text"; history\n',
    "run",
    "second",
    "--shell",
  );
  expect(shell.stdout).toContain("read -r word;");
  const [, typed = ""] = /it wrote to (\S+)/.exec(shell.stderr) ?? [];
  expect(readFileSync(typed, "utf8")).toBe("one in shell\n");

  expect(run("", "run", "module").stderr).toContain("from the module");
  expect(run("", "run", "module", "--shell").stderr).toContain("has no command of its own");
  expect(run("", "run", "first", "second").stderr).toContain("too many arguments");
  expect(run("exit 3", "run", "rules/none").status).toBe(2);
});

test("records the run when it is asked to, as a build does", async () => {
  const project = cliProject(FILES);
  await project.built("first");
  const words = [`${HOME}dist/cli.cjs`, "run", "second", "--record"];
  const ran = spawnSync(process.execPath, words, { cwd: project.root, input: "kept\n", encoding: "utf8" });
  expect([ran.status, ran.stderr]).toEqual([0, ""]);
  expect(project.read("two.txt")).toBe("kept one it's set 1\n");
  expect((await project.json("build", "second")).at(-1)).toMatchObject({ fresh: 2, ran: 0 });
  project.write("two.txt", "edited");
  const refused = spawnSync(process.execPath, words, { cwd: project.root, input: "x\n", encoding: "utf8" });
  expect([refused.status, refused.stderr]).toEqual([
    2,
    expect.stringContaining("was edited since lq wrote it"),
  ]);
});
