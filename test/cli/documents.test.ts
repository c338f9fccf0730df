/** The projects that README.md and docs/coming-from.md show, built as they stand there. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject } from "../helpers/cli.ts";
import { PYTHON } from "../helpers/python.ts";

/** The first block of a language, or the nth. */
function block(file: string, language: string, nth = 0): string {
  const blocks = readFileSync(`${HOME}${file}`, "utf8").matchAll(/```(\w+)\n(.*?)```/gs);
  return [...blocks].filter(([, each]) => each === language)[nth]?.[2] ?? "";
}

test.skipIf(PYTHON === null)("docs/coming-from.md", async () => {
  const page = "docs/coming-from.md";
  const project = cliProject({
    "pipeline.yaml": block(page, "yaml"),
    "params.yaml": block(page, "yaml", 1),
    "segment.py": block(page, "python"),
    "images/a.txt": "1\n4\n",
    "images/b.txt": "5\n",
  });
  const built = await project.lq("build");
  expect([built.code, built.stderr]).toEqual([0, ""]);
  expect(project.read("counts.txt")).toMatch(/^ +1 0\n +2 1\n$/);
});

test.skipIf(PYTHON === null)("README.md", async () => {
  const project = cliProject({
    "pipeline.yaml": block("README.md", "yaml"),
    "params.yaml": "threshold: 1\n",
    "segment.py":
      'from lq import task\nopen(task.output("labels"), "w").write(open(task.input("image")).read() * task.params["threshold"])\n',
    "images/1.nii.gz": "image",
  });
  const built = await project.lq("build");
  expect([built.code, built.stderr]).toEqual([0, ""]);
  expect(project.read("labels/1.nii.gz")).toBe("image");
});
