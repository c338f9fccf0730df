/** Environments of commands and scripts: conda, modules, set-up text, containers, settings of the machine. */
import { chmodSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";

const HAS_MODULES = [
  "/etc/profile.d/modules.sh",
  "/etc/profile.d/lmod.sh",
  "/usr/share/lmod/lmod/init/bash",
].some((file) => existsSync(file));

async function ran(project: CliProject, variables: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const { stdout, stderr } = await project.lqIn(variables, "build", "--json");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { [name: string]: unknown });
  expect([lines.filter(({ outcome, type }) => outcome === "failed" || type === "error"), stderr]).toEqual([
    [],
    "",
  ]);
  return lines
    .filter(({ outcome }) => outcome === "ran")
    .map(({ task, reasons }) => {
      const [{ kind, what, name }] = reasons as [{ [field: string]: string }];
      return `${String(task)}: ${what ?? name ?? kind}`;
    })
    .sort();
}

function program(project: CliProject, path: string, text: string): void {
  project.write(path, text);
  chmodSync(project.path(path), 0o755);
}

describe("environment:", () => {
  test("conda environments are activated; their packages are in the key, their folder is not", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
environment: { conda: ct }
rules:
  a: { cmd: 'tool > \${out}; echo "$CONDA_PREFIX $FROM_ACTIVATION" >> \${out}', out: a.txt }
`,
      "home/miniforge3/envs/ct/conda-meta/tool-1.0-h0.json": "{}",
      "home/miniforge3/envs/ct/etc/conda/activate.d/x.sh":
        'echo noise; export FROM_ACTIVATION="yes $NOT_SET"\n',
    });
    const home = { HOME: project.path("home"), CONDA_EXE: "" };
    program(project, "home/miniforge3/envs/ct/bin/tool", "#!/bin/sh\necho tool\n");
    expect(await ran(project, home)).toEqual(["a: never-built"]);
    expect(project.read("a.txt")).toBe(`tool\n${project.path("home/miniforge3/envs/ct")} yes \n`);
    expect(await ran(project, home)).toEqual([]);
    project.write("home/miniforge3/envs/ct/conda-meta/other-2.0-h0.json", "{}");
    expect(await ran(project, home)).toEqual(["a: other"]);
    spawnSync("mv", [project.path("home/miniforge3"), project.path("home/mambaforge")]);
    expect(await ran(project, home)).toEqual([]);
    rmSync(project.path("home"), { recursive: true });
    const missing = await project.lqIn(home, "build");
    expect([missing.code, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/pipeline\.yaml:2:23: error: there is no conda environment ct/),
    ]);
  });

  test.skipIf(!HAS_MODULES)(
    `modules are loaded, by name in the key${HAS_MODULES ? "" : " (no Environment Modules)"}`,
    async () => {
      const project = cliProject({
        "pipeline.yaml": `version: 1
rules:
  a: { cmd: 'echo "$FROM_MODULE"; module list 2>&1 | grep -q tool && echo listed', environment: { modules: [tool/1.0] }, out: a.txt }
`
          .replace("'echo", "'(echo")
          .replace("listed'", "listed) > ${out}'"),
        "modulefiles/tool/1.0": "#%Module1.0\nsetenv FROM_MODULE one\n",
        "modulefiles/tool/2.0": "#%Module1.0\nsetenv FROM_MODULE two\n",
      });
      const path = { MODULEPATH: project.path("modulefiles") };
      expect(await ran(project, path)).toEqual(["a: never-built"]);
      expect(project.read("a.txt")).toBe("one\nlisted\n");
      expect(await ran(project, path)).toEqual([]);
      project.write("pipeline.yaml", project.read("pipeline.yaml").replace("tool/1.0", "tool/2.0"));
      expect(await ran(project, path)).toEqual(["a: environment: module tool/2.0 added"]);
      expect(project.read("a.txt")).toBe("two\nlisted\n");
      project.write("pipeline.yaml", project.read("pipeline.yaml").replace("tool/2.0", "tool/3.0"));
      const { code, stderr } = await project.lqIn(path, "build");
      expect([code, stderr]).toEqual([2, expect.stringContaining("the modules tool/3.0 cannot be loaded")]);
    },
  );

  test("set-up text runs before each command, and is in the key if the rule says so", async () => {
    const pipeline = (setup: string) => `version: 1
environment: { setup: ${setup} }
rules:
  a: { cmd: 'echo "$X" > \${out}', out: a.txt }
  b: { cmd: [sh, -c, 'echo "$Y" > "$0"', "\${out}"], out: b.txt }
  c: { script: c.sh, out: c.txt }
`;
    const project = cliProject({
      "pipeline.yaml": pipeline(`'X=$UNSET"1"; export Y=2'`),
      "c.sh": `echo "$Y" > "$(sed 's/.*"outputs":[^/]*"\\(cache[^"]*\\)".*/\\1/' "$LQ_TASK_FILE")"\n`,
    });
    expect(await ran(project)).toHaveLength(3);
    expect(["a", "b", "c"].map((name) => project.read(`${name}.txt`))).toEqual(["1\n", "2\n", "2\n"]);
    project.write("pipeline.yaml", pipeline(`'X=1; export Y=3'`));
    expect(await ran(project)).toEqual([]);
    project.write("pipeline.yaml", pipeline(`{ text: 'X=1; export Y=3', counts: true }`));
    expect(await ran(project)).toEqual(
      ["a", "b", "c"].map((name) => `${name}: environment: setup X=1; export Y=3 added`),
    );
    expect(project.read("c.txt")).toBe("3\n");
  });

  test("functions that lq's own shell exports reach commands", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules:\n  a: { cmd: "greet > \${out}", out: a.txt }\n`,
    });
    expect(await ran(project, { "BASH_FUNC_greet%%": "() { echo hello; }" })).toEqual(["a: never-built"]);
    expect(project.read("a.txt")).toBe("hello\n");
  });

  test.skipIf(PYTHON === null)(
    "LQ_PYTHON comes first, then the project's environment, then the machine's",
    async () => {
      const project = cliProject({
        "pipeline.yaml": `version: 1\nrules:\n  a: { script: a.py, out: a.txt }\n`,
        "a.py":
          "import os, sys\nfrom lq import task\nopen(task.output(), 'w').write(os.environ['LQ_PYTHON'])\n",
        "config/lq/config.yaml": "environment: { python: bin/mine }\n",
      });
      program(project, "bin/mine", `#!/bin/sh\nexec ${PYTHON} "$@"\n`);
      program(project, "bin/other", `#!/bin/sh\nexec ${PYTHON} "$@"\n`);
      const config = { XDG_CONFIG_HOME: project.path("config") };
      expect(await ran(project, config)).toEqual(["a: never-built"]);
      expect(project.read("a.txt")).toBe(project.path("bin/mine"));
      expect(await ran(project, { ...config, LQ_PYTHON: "bin/other" })).toEqual([]);
      expect((await project.lqIn({ ...config, LQ_PYTHON: "bin/none" }, "status")).stderr).toContain(
        "there is no Python bin/none, which LQ_PYTHON names",
      );
    },
  );

  test("a container gets the project, inputs outside it and variables; its digest is in the key", async () => {
    const digest = "a".repeat(64);
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  sif: { cmd: 'cat \${in} > \${out}', in: "OUT/in.txt", environment: { container: image.sif }, out: sif.txt }
  pod: { cmd: 'echo "$LQ_TASK_FILE" > \${out}', environment: { container: "docker://ct@sha256:${digest}" }, out: pod.txt }
`,
      "image.sif": "one",
      "outside/in.txt": "in\n",
    });
    mkdirSync(project.path("bin"));
    project.write("pipeline.yaml", project.read("pipeline.yaml").replace("OUT", `${project.root}-outside`));
    spawnSync("mv", [project.path("outside"), `${project.root}-outside`]);
    const variables = { PATH: `${project.path("bin")}:/usr/bin:/bin` };
    const none = await project.lqIn(
      { PATH: `${project.path("bin")}:${nodeless(project)}` },
      "build",
      "pod.txt",
    );
    expect(none.stderr).toContain("there is no program here that runs the container docker://ct@sha256:");
    // These stand in for the real programs: they write down their arguments, and run the command here.
    program(
      project,
      "bin/apptainer",
      `#!/bin/bash\necho "$@" >> ${project.path("asked")}\nwhile [ "$1" != image.sif ]; do shift; done; shift; exec "$@"\n`,
    );
    program(
      project,
      "bin/podman",
      `#!/bin/bash\necho "$@" >> ${project.path("asked")}\nwhile [[ "$1" != ct@* ]]; do shift; done; shift; exec "$@"\n`,
    );
    rmSync(project.path("bin/apptainer"));
    expect(await ranTargets(project, variables, "pod.txt")).toEqual(["pod"]);
    expect(project.read("pod.txt")).toMatch(/task\.json\n$/);
    const asked = project.read("asked");
    expect(asked).toMatch(
      new RegExp(`^run --rm --network host --userns=keep-id --volume ${project.root}:${project.root} `),
    );
    expect(asked).toContain("--env LQ_TASK_FILE");
    expect(asked).toContain(`--workdir ${project.root} `);
    program(
      project,
      "bin/apptainer",
      `#!/bin/bash\necho "$@" >> ${project.path("asked")}\nwhile [ "$1" != image.sif ]; do shift; done; shift; exec "$@"\n`,
    );
    expect(await ranTargets(project, variables, "sif.txt")).toEqual(["sif"]);
    expect(project.read("asked")).toContain(`--bind ${project.root}-outside:${project.root}-outside`);
    project.write("image.sif", "two");
    expect(await ranTargets(project, variables, "sif.txt")).toEqual(["sif"]);
    rmSync(`${project.root}-outside`, { recursive: true });
    project.write("pipeline.yaml", project.read("pipeline.yaml").replace(`@sha256:${digest}`, ":latest"));
    expect((await project.lq("status")).stderr).toContain("a container's image must be named by its digest");
  });
});

/** A folder with bash and nothing else. */
function nodeless(project: CliProject): string {
  spawnSync("ln", ["-s", "/bin/bash", project.path("bin/bash")]);
  return project.path("bin");
}

async function ranTargets(
  project: CliProject,
  variables: NodeJS.ProcessEnv,
  target: string,
): Promise<string[]> {
  const { stdout, stderr } = await project.lqIn(variables, "build", target, "--json");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { [name: string]: unknown });
  expect([lines.filter(({ outcome, type }) => outcome === "failed" || type === "error"), stderr]).toEqual([
    [],
    "",
  ]);
  return lines.filter(({ outcome }) => outcome === "ran").map(({ task }) => String(task));
}
