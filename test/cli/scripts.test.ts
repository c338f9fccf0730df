/** Scripts and the code that they import, by the real lq and the real Python. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";

const STEP = `from lq import task
from lib.util import V
import pkg.inner.deep
def late():
    from lib import lazy
    return lazy.L
open(task.output(), "w").write("%s %s" % (V, task.params["x"]))
`;

const FILES = {
  "params.yaml": "x: 3\ny: 4\n",
  "pipeline.yaml": `version: 1
params: params.yaml
environment: { python: ${PYTHON} }
rules:
  step: { script: step.py, with: { x: "\${x}" }, out: o.txt }
`,
  "step.py": STEP,
  "lib/util.py": "V = 1\n",
  "lib/lazy.py": "L = 1\n",
  "lib/unused.py": "U = 1\n",
  "pkg/__init__.py": "",
  "pkg/inner/__init__.py": "from . import part\nfrom .stars import *\n",
  "pkg/inner/part.py": "import typing\nif typing.TYPE_CHECKING:\n    import pkg.types_only\n",
  "pkg/inner/deep.py": "from .. import top\n",
  "pkg/inner/stars/__init__.py": "__all__ = ['one']\n",
  "pkg/inner/stars/one.py": "",
  "pkg/inner/stars/two.py": "",
  "pkg/top.py": "import importlib\nimportlib.import_module('pkg.dynamic')\n",
  "pkg/dynamic.py": "",
  "pkg/types_only.py": "",
};

/** What a build does after an edit: "fresh", or the reasons why tasks ran or were restored. */
async function after(project: CliProject, edit: () => void): Promise<string> {
  edit();
  const lines = await project.json("build");
  const tasks = lines.filter(({ type }) => type === "task");
  expect(tasks.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  const done = tasks.filter(({ outcome }) => outcome !== "fresh");
  if (done.length === 0) return "fresh";
  return done
    .map(({ outcome, reasons }) => {
      const [{ kind, file, by, name }] = reasons as [{ [field: string]: string }];
      return `${String(outcome)}: ${kind} ${file ?? name ?? ""}${by === undefined ? "" : ` by ${by}`}`.trim();
    })
    .join("; ");
}

describe.skipIf(PYTHON === null)(`a script (${PYTHON ?? "there is no python3"})`, () => {
  test("is stale after a change of its code's meaning, and after no other change", async () => {
    const project = cliProject(FILES);
    expect(await after(project, () => undefined)).toBe("ran: never-built");
    expect(project.read("o.txt")).toBe("1 3");
    const edit = (path: string, text: string) => after(project, () => project.write(path, text));
    const more = (path: string, text: string) => edit(path, project.read(path) + text);

    expect(await more("lib/util.py", "# a comment\n\n\n")).toBe("fresh");
    expect(await edit("lib/util.py", "V = (\n  1\n)\n")).toBe("fresh");
    expect(await edit("lib/util.py", "V = 2\n")).toBe("ran: code lib/util.py by step.py");
    expect(project.read("o.txt")).toBe("2 3");
    expect(await edit("lib/util.py", "V = 1\n")).toBe("restored: code lib/util.py by step.py");
    expect(await more("lib/lazy.py", "M = 2\n")).toBe("ran: code lib/lazy.py by step.py");
    expect(await more("lib/unused.py", "M = 2\n")).toBe("fresh");
    expect(await more("pkg/__init__.py", "M = 2\n")).toBe("ran: code pkg/__init__.py by step.py");
    expect(await more("pkg/inner/part.py", "M = 2\n")).toBe(
      "ran: code pkg/inner/part.py by pkg/inner/__init__.py",
    );
    expect(await more("pkg/types_only.py", "M = 2\n")).toBe("fresh");
    expect(await more("pkg/inner/stars/one.py", "M = 2\n")).toMatch("ran: code pkg/inner/stars/one.py");
    expect(await more("pkg/inner/stars/two.py", "M = 2\n")).toBe("fresh");
    expect(await more("pkg/dynamic.py", "M = 2\n")).toBe("ran: code pkg/dynamic.py by pkg/top.py");
    expect(await edit("lib/.util.py.swp", "x")).toBe("fresh");
    expect(await edit("params.yaml", "x: 3\ny: 5\n")).toBe("fresh");
    expect(await edit("params.yaml", "x: 4\ny: 5\n")).toBe("ran: param");
    // A package takes the module's place: Python would import that.
    expect(await edit("lib/util/__init__.py", "V = 7\n")).toMatch(
      "ran: code lib/util/__init__.py by step.py",
    );
    expect(project.read("o.txt")).toBe("7 4");
    expect(await after(project, () => rmSync(project.path("lib/util"), { recursive: true }))).toMatch(
      "restored: code",
    );
    expect((await project.lq("trace", "o.txt")).stdout).toMatch(/code +step\.py with \d+ files it imports/);
  });

  test("of a command is the one that its rule names; lq points out other files in the command", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  step: { cmd: "${PYTHON} step.py --config=conf.yaml > \${out}", out: o.txt }
`,
      "step.py": "import helper\nprint(helper.V)\n",
      "helper.py": "V = 1\n",
      "conf.yaml": "",
    });
    const { stdout, stderr } = await project.lq("build", "-n");
    expect(stdout + stderr).toContain(
      `the command of rule "step" uses step.py, but an edit of it changes nothing: add code: step.py`,
    );
    expect(stdout + stderr).toContain("uses conf.yaml, but an edit of it changes nothing: add it to in:");
    expect((await project.lq("status")).stdout).toContain("add code: step.py");

    const text = project.read("pipeline.yaml").replace("out: o", "code: step.py, in: conf.yaml, out: o");
    project.write("pipeline.yaml", text);
    const built = await project.lq("build");
    expect([built.code, built.stdout + built.stderr]).toEqual([0, expect.not.stringContaining("nothing:")]);
    project.write("helper.py", "V = 2\n");
    expect(await after(project, () => undefined)).toBe("ran: code helper.py by step.py");
    expect(project.read("o.txt")).toBe("2\n");
  });

  test("that loads code by a computed name is pointed out, with the line to add", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules:\n  step: { script: step.py, out: o.txt }\n`,
      "step.py":
        "import importlib, sys\nsys.path.insert(0, 'plugins')\nfrom lq import task\n" +
        "open(task.output(), 'w').write(importlib.import_module('pl' + 'ug').V)\n",
      "plugins/plug.py": "V = 'a'\n",
    });
    const first = await project.lq("build");
    expect(first.stdout + first.stderr).toContain(
      'not all code of rule "step" can be followed: step.py:2: it changes sys.path (and 1 more such places); ' +
        "name what it loads: code: FOLDER/",
    );
    project.write(
      "pipeline.yaml",
      project.read("pipeline.yaml").replace("step.py,", "step.py, code: plugins/,"),
    );
    const second = await project.lq("build");
    expect(second.stdout + second.stderr).not.toContain("can be followed");
    project.write("plugins/plug.py", "V = 'b'\n");
    expect(await after(project, () => undefined)).toBe("ran: code plugins/plug.py");
  });

  test("runs by its file extension, and a shell script depends on the files that it sources", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  sh: { script: a.sh, out: sh.txt }
  js: { script: b.mjs, in: sh.txt, out: js.txt }
`,
      "a.sh": `source lib/x.sh\n${PYTHON} -c "from lq import task; print(task.output())" > name.txt\necho "$X" > "$(cat name.txt)"; rm name.txt\n`,
      "lib/x.sh": "X=1\n",
      "b.mjs":
        'import { readFileSync, writeFileSync } from "node:fs";\n' +
        "const task = JSON.parse(readFileSync(process.env.LQ_TASK_FILE));\n" +
        "writeFileSync(task.outputs.out.paths[0], readFileSync(task.inputs.in.paths[0]));\n",
    });
    expect((await project.lq("build")).code).toBe(0);
    expect(project.read("js.txt")).toBe("1\n");
    project.write("lib/x.sh", "X=2\n");
    expect(await after(project, () => undefined)).toBe("ran: code lib/x.sh by a.sh; ran: file");
  });

  test("that is not there, or has no known extension, is refused with its place", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules:\n  a: { script: none.py, out: a.txt }\n`,
    });
    expect((await project.lq("build")).stderr).toMatch(
      /pipeline\.yaml:3:16: error: there is no code none\.py/,
    );
    project.write(
      "pipeline.yaml",
      `version: 1\nrules:\n  a: { run: a.py, out: a.txt }\n  b: { script: b.xyz, out: b.txt }\n`,
    );
    const { code, stderr } = await project.lq("build");
    expect(code).toBe(2);
    expect(stderr).toContain("write script: a.py");
    expect(stderr).toContain("the ending of b.xyz does not say what program runs it");
    project.write(
      "pipeline.yaml",
      `version: 1\nenvironment: { python: no-such-python }\nrules:\n  a: { script: a.py, out: a.txt }\n`,
    );
    project.write("a.py", "");
    expect((await project.lq("status")).stderr).toContain(
      "there is no Python no-such-python, which the environment names",
    );
  });
});

describe.skipIf(PYTHON === null)("a virtual environment", () => {
  function install(project: CliProject, name: string, version: string, requires = ""): void {
    const site = execFileSync(project.path(".venv/bin/python"), [
      "-c",
      "import sysconfig; print(sysconfig.get_paths()['purelib'])",
    ])
      .toString()
      .trim()
      .slice(project.root.length + 1);
    const info = `${site}/${name}-${version}.dist-info`;
    project.write(`${site}/${name}/__init__.py`, `VERSION = "${version}"\n`);
    project.write(
      `${info}/METADATA`,
      `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requires === "" ? "" : `Requires-Dist: ${requires}\n`}`,
    );
    project.write(`${info}/RECORD`, `${name}/__init__.py,,\n`);
  }
  const upgrade = (project: CliProject, name: string, from: string, to: string) => {
    const [info = ""] = execFileSync("find", [project.path(".venv"), "-name", `${name}-${from}.dist-info`])
      .toString()
      .split("\n");
    rmSync(info, { recursive: true });
    install(project, name, to);
  };

  test("is active, and an upgrade makes stale what imports the package, and nothing else", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
environment: { venv: .venv }
rules:
  uses: { script: uses.py, out: uses.txt }
  other: { script: other.py, out: other.txt }
  free: { script: uses.py, packages: false, out: free.txt }
  plain: { cmd: "python -c 'import alpha; print(alpha.VERSION)' > \${out}", out: plain.txt }
`,
      "uses.py": 'import alpha\nfrom lq import task\nopen(task.output(), "w").write(alpha.VERSION)\n',
      "other.py": 'from lq import task\nopen(task.output(), "w").write("other")\n',
    });
    expect((await project.lq("build")).stderr).toContain("there is no virtual environment .venv");
    execFileSync(PYTHON ?? "", ["-m", "venv", "--without-pip", project.path(".venv")]);
    install(project, "alpha", "1.0", "beta>=1; extra != 'x'\nRequires-Dist: gamma>1");
    install(project, "beta", "1.0");
    install(project, "gamma", "1.0");
    install(project, "delta", "1.0");
    const ran = async () =>
      (await project.json("build"))
        .filter(({ type, outcome }) => type === "task" && outcome === "ran")
        .map(({ task, reasons }) => {
          const [{ kind, name }] = reasons as [{ [field: string]: string }];
          return `${task as string}: ${kind} ${name ?? ""}`.trim();
        })
        .sort();
    expect(await ran()).toHaveLength(4);
    expect(["uses.txt", "plain.txt"].map((path) => project.read(path).trim())).toEqual(["1.0", "1.0"]);
    expect(await ran()).toEqual([]);

    upgrade(project, "alpha", "1.0", "2.0");
    expect(await ran()).toEqual(["plain: package alpha", "uses: package alpha"]);
    expect(project.read("uses.txt")).toBe("2.0");
    upgrade(project, "delta", "1.0", "2.0");
    expect(await ran()).toEqual(["plain: package delta"]);
    install(project, "new", "1.0");
    expect(await ran()).toEqual(["plain: package new"]);

    upgrade(project, "alpha", "2.0", "3.0");
    install(project, "alpha", "3.0", "gamma");
    expect(await ran()).toEqual(["plain: package alpha", "uses: package alpha"]);
    upgrade(project, "gamma", "1.0", "1.1");
    expect(await ran()).toEqual(["plain: package gamma", "uses: package gamma"]);
  });
});
