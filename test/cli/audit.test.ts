/** `lq audit` finds files that tasks use and rules do not declare. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { accessesIn } from "../../src/run/audit.ts";
import { cliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";

const CAN_TRACE = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;

test.skipIf(!CAN_TRACE || PYTHON === null)(
  `finds what is not declared, of commands, scripts and modules${CAN_TRACE ? "" : " (no strace)"}`,
  async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
environment: { python: ${PYTHON} }
rules:
  good: { script: good.py, in: { a: a.txt }, out: good.txt }
  bad: { script: bad.py, in: a.txt, out: bad.txt }
  shell: { cmd: 'cat a.txt ./é.txt > \${out}; echo x > side.txt', in: a.txt, out: shell.txt }
  module: { run: m.ts, in: a.txt, out: module.txt }
  fails: { cmd: "false; echo > \${out}", out: fails.txt }
`,
      "a.txt": "a",
      "é.txt": "e",
      "params.yaml": "x: 1\n",
      "helper.py": "import json\n",
      "good.py":
        "import helper\nfrom lq import task\nopen(task.output(), 'w').write(open(task.input('a')).read())\n",
      "bad.py":
        "import os\nfrom lq import task\nopen('params.yaml').read()\nos.path.exists('none.txt')\n" +
        "open('a.txt').read()\nopen('good.txt').read()\nopen(task.output(), 'w').write('x')\n",
      "m.ts":
        'import { readFileSync, writeFileSync } from "node:fs";\nimport { task } from "lq";\n' +
        'export default task({ run({ input, output }) { readFileSync("params.yaml"); writeFileSync(output(), readFileSync(input())); } });\n',
    });
    expect((await project.lq("build", "good", "shell")).code).toBe(0);
    const good = await project.lq("audit", "good");
    expect([good.code, good.stdout]).toEqual([0, "1 audited: they use what their rules declare\n"]);

    const bad = await project.lq("audit", "bad");
    expect([bad.code, bad.stdout]).toEqual([
      1,
      "bad reads good.txt, which its rule does not declare: add it to in:\n" +
        "bad reads params.yaml, which its rule does not declare: add it to in:\n",
    ]);
    const found = await project.json("audit", "shell", "module");
    expect(found).toEqual([
      { type: "audit", task: "shell", access: "write", path: "side.txt" },
      { type: "audit", task: "shell", access: "read", path: "é.txt" },
      { type: "audit", task: "module", access: "read", path: "params.yaml" },
    ]);
    expect((await project.lq("audit", "fails")).stderr).toContain("fails ended with exit code 1");
    // An audit records nothing: the tasks that it ran do not count as built.
    expect(project.has("bad.txt")).toBe(false);
  },
);

test("without strace, audit says how to install it", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  a: { cmd: "echo > \${out}", out: a.txt }\n`,
  });
  const { code, stderr } = await project.lqIn({ PATH: project.root }, "audit", "a");
  expect([code, stderr]).toEqual([2, expect.stringContaining("lq audit needs the program strace")]);
});

test("audit understands the lines that strace writes", () => {
  const at = (line: string) => accessesIn(line, "/w");
  expect(at('openat(AT_FDCWD</p>, "a\\303\\251\\"b", O_RDONLY|O_CLOEXEC) = 3</p/x>')).toEqual([
    { access: "read", path: '/p/aé"b' },
  ]);
  expect(at('openat(5</q>, "x", O_WRONLY|O_CREAT, 0666) = 3')).toEqual([{ access: "write", path: "/q/x" }]);
  expect(at('openat(AT_FDCWD</p>, "x", O_RDONLY) = -1 ENOENT (No such file)')).toEqual([]);
  expect(at('openat(AT_FDCWD</p>, "x", O_RDONLY|O_DIRECTORY) = 3')).toEqual([]);
  expect(at('rename("a", "/b") = 0')).toEqual([
    { access: "write", path: "/w/a" },
    { access: "write", path: "/b" },
  ]);
  expect(at("+++ exited with 0 +++")).toEqual([]);
});
