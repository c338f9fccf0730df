/** The projects that README.md, docs/guide.md and docs/coming-from.md show, built as they stand there. */
import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";
import { blocksOf, filesIn, pipelineFrom, pipelinesIn } from "./blocks.ts";

async function build(project: CliProject): Promise<void> {
  const path = `${project.path("bin")}:${process.env["PATH"]}`;
  const built = await project.lqIn({ PATH: path }, "build", "-j", "4");
  expect([built.code, built.stderr]).toEqual([0, ""]);
}

test.skipIf(PYTHON === null)("docs/coming-from.md", async () => {
  const blocks = blocksOf("docs/coming-from.md");
  const project = cliProject({
    ...filesIn(blocks),
    "pipeline.yaml": pipelineFrom(pipelinesIn(blocks)[0]!),
    "images/a.txt": "1\n4\n",
    "images/b.txt": "5\n",
  });
  await build(project);
  expect(project.read("counts.txt")).toMatch(/^ +1 0\n +2 1\n$/);
});

test.skipIf(PYTHON === null)("README.md", async () => {
  const project = cliProject({
    "pipeline.yaml": pipelineFrom(pipelinesIn(blocksOf("README.md"))[0]!),
    "params.yaml": "threshold: 1\n",
    "segment.py":
      'from lq import task\nopen(task.output("labels"), "w").write(open(task.input("image")).read() * task.params["threshold"])\n',
    "images/1.nii.gz": "image",
  });
  await build(project);
  expect(project.read("labels/1.nii.gz")).toBe("image");
});

const guide = blocksOf("docs/guide.md");
const [withCommand, withScript] = pipelinesIn(guide);

const FILES = { "params.yaml": "threshold: 150\n", "images/a.nii.gz": "100\n", "images/b.nii.gz": "200\n" };

test("docs/guide.md: a command and a module", async () => {
  const project = cliProject({
    ...FILES,
    "pipeline.yaml": pipelineFrom(withCommand!),
    "count.ts": filesIn(guide)["count.ts"]!,
    "bin/segment": `#!/bin/bash\nif [ "$1" = --version ]; then echo 1.0; else echo "$2 $(cat "$3")" > "$4"; fi\n`,
  });
  chmodSync(project.path("bin/segment"), 0o755);
  await build(project);
  expect(project.read("labels/b.nii.gz")).toBe("150 200\n");
  expect(project.read("counts.json")).toBe('["a.nii.gz","b.nii.gz"]');
});

test.skipIf(PYTHON === null)(
  "docs/guide.md: a script, the helper that it imports, and a comment",
  async () => {
    const project = cliProject({
      ...FILES,
      "pipeline.yaml": pipelineFrom(withScript!),
      "segment.py": filesIn(guide)["segment.py"]!,
      "ct.py": `def read(path: str) -> int:
    return int(open(path).read())

def save(labels: bool, path: str) -> None:
    print(int(labels), file=open(path, "w"))
`,
    });
    await build(project);
    expect(["a", "b"].map((name) => project.read(`labels/${name}.nii.gz`))).toEqual(["0\n", "1\n"]);
    project.write("ct.py", `# A comment.\n${project.read("ct.py")}`);
    expect((await project.lq("build")).stdout).toContain("2 fresh");
    project.write("ct.py", project.read("ct.py").replace("int(labels)", "int(labels) + 1"));
    expect((await project.lq("build")).stdout).toContain("2 ran");
    expect(project.read("labels/b.nii.gz")).toBe("2\n");
  },
);
