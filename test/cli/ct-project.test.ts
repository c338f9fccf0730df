/**
 * A project as its users have one: twelve CT volumes, four Python steps, a package of helpers, a virtual environment.
 * Each edit makes exactly those tasks run that it reaches, `lq why` names it, and undoing it runs nothing.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { hasModule, PYTHON } from "../helpers/python.ts";
import { shared } from "../helpers/shared.ts";

const CASES = ["002", "003", "008", "010", "012", "015", "018", "019", "024", "025", "026", "028"];
const IMAGES = [...CASES, "032"].map((id) => shared(`data/ibsi-sts/STS_${id}_ct.nii.gz`));
const SKIP = PYTHON === null || !hasModule("numpy") || IMAGES.includes(null);

const FILES: { readonly [path: string]: string } = {
  "params.yaml": "threshold: -300\ndecimals: 1\nunused: 4\n",
  "pipeline.yaml": `version: 1
params: params.yaml
environment: { venv: .venv }
axes:
  case: { glob: "images/*.nii.gz" }
rules:
  segment:
    each: { case: case }
    script: segment.py
    with: { threshold: "\${threshold}" }
    in: { image: "images/\${case}.nii.gz" }
    out: { labels: "labels/\${case}.npy" }
  measure:
    each: { case: case }
    script: measure.py
    in: { image: "images/\${case}.nii.gz", labels: "labels/\${case}.npy" }
    out: "measures/\${case}.json"
  collect: { script: collect.py, in: measures/, out: table.json }
  report:
    cmd: "python -m ctlib.report \${in} \${decimals} > \${out}"
    code: ctlib/report.py
    in: table.json
    out: report.txt
`,
  "segment.py": `from lq import task
from ctlib.io import read_volume, write_array
from ctlib.masks import body

def main() -> None:
    volume = read_volume(task.input("image"))
    write_array(task.output("labels"), body(volume, task.params["threshold"]))

main()
`,
  "measure.py": `import json
from lq import task
from ctlib import io, stats

volume = io.read_volume(task.input("image"))
labels = io.read_array(task.input("labels"))
with open(task.output(), "w") as file:
    json.dump(stats.summary(volume, labels), file)
`,
  "collect.py": `import json, os
from lq import task

folder = task.input()
table = {}
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name)) as file:
        table[name.split(".")[0]] = json.load(file)
with open(task.output(), "w") as file:
    json.dump(table, file)
`,
  "ctlib/__init__.py": "",
  "ctlib/io.py": `import gzip
import struct
from typing import TYPE_CHECKING

import ctformat
import numpy as np

if TYPE_CHECKING:
    from ctlib.kinds import Volume

def read_volume(path: str) -> "Volume":
    with gzip.open(path) as file:
        data = file.read()
    shape = struct.unpack("<3h", data[42:48])
    offset = int(struct.unpack("<f", data[108:112])[0])
    kind = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 512: "<u2"}[struct.unpack("<h", data[70:72])[0]]
    return np.frombuffer(data, kind, offset=offset, count=int(np.prod(shape))).reshape(shape, order="F")

def read_array(path):
    return np.load(path)

def write_array(path, array):
    np.save(path, array)
`,
  "ctlib/kinds.py": "Volume = object\n",
  "ctlib/masks.py": `"""Masks of volumes."""

def body(volume, threshold):
    """Voxels above a threshold (HU)."""
    from .lazy import ONE
    return (volume > threshold).astype("u1") * ONE
`,
  "ctlib/lazy.py": "ONE = 1\n",
  "ctlib/stats.py": `def summary(volume, labels):
    inside = volume[labels > 0]
    return {"voxels": int(labels.sum()), "mean": float(inside.mean()) if inside.size else 0.0}
`,
  "ctlib/text.py": 'def line(name, mean, decimals):\n    return f"{name} {mean:.{decimals}f}"\n',
  "ctlib/report.py": `import json
import sys
from .text import line

with open(sys.argv[1]) as file:
    table = json.load(file)
for name, row in table.items():
    print(line(name, row["mean"], int(sys.argv[2])))
`,
  "ctlib/unused.py": "X = 1\n",
};

const SEGMENT = CASES.map((id) => `segment:${id}`);
const MEASURE = CASES.map((id) => `measure:${id}`);
const ENDS = ["collect", "report"];
const ALL = [...SEGMENT, ...MEASURE, ...ENDS].sort();

describe.skipIf(SKIP)(
  `a project of twelve CT volumes${SKIP ? " (needs python3, numpy, ../shared/data)" : ""}`,
  () => {
    let project: CliProject;

    beforeAll(async () => {
      project = cliProject({});
      // Projects go after each test, and this one serves all: it lies in a folder of its own.
      project = Object.assign(project, { root: `${project.root}-ct` });
      for (const [path, text] of Object.entries(FILES)) project.write(path, text);
      mkdirSync(project.path("images"));
      for (const [i, id] of CASES.entries())
        copyFileSync(IMAGES[i] ?? "", project.path(`images/${id}.nii.gz`));
      execFileSync(PYTHON ?? "", [
        "-m",
        "venv",
        "--system-site-packages",
        "--without-pip",
        project.path(".venv"),
      ]);
      install("ctformat", "1.0");
      install("other", "1.0");
      execFileSync("git", ["init", "-q", "-b", "main"], { cwd: project.root });
      project.write(
        ".gitignore",
        "cache/\nlabels/\nmeasures/\nimages/\n.venv/\n*.json\nreport.txt\n__pycache__/\n",
      );
      commit("first");
      expect((await ran()).sort()).toEqual(ALL);
      expect(project.read("report.txt").trim().split("\n")).toHaveLength(12);
      expect(await ran()).toEqual([]);
    });

    afterAll(() => rmSync(project.root, { recursive: true, force: true }));

    const commit = (message: string): void => {
      execFileSync("git", ["add", "-A"], { cwd: project.root });
      const who = ["-c", "user.name=a", "-c", "user.email=a@b"];
      execFileSync("git", [...who, "commit", "-qm", message], { cwd: project.root });
    };

    const install = (name: string, version: string): void => {
      const find = ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"];
      const python = project.path(".venv/bin/python");
      const site = execFileSync(python, find)
        .toString()
        .trim()
        .slice(project.root.length + 1);
      for (const each of ["1.0", "2.0"])
        rmSync(project.path(`${site}/${name}-${each}.dist-info`), { recursive: true, force: true });
      project.write(`${site}/${name}/__init__.py`, "");
      const info = `${site}/${name}-${version}.dist-info`;
      project.write(`${info}/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
      project.write(`${info}/RECORD`, `${name}/__init__.py,,\n`);
    };

    const ran = async (): Promise<string[]> => {
      const lines = await project.json("build");
      const tasks = lines.filter(({ type }) => type === "task");
      expect(tasks.filter(({ outcome }) => outcome === "failed")).toEqual([]);
      return tasks.filter(({ outcome }) => outcome === "ran").map(({ task }) => task as string);
    };

    /** An edit of a file, by the replacement of a text in it. */
    const swap = (path: string, from: string, to: string) => (): void => {
      const text = project.has(path) ? project.read(path) : "";
      expect(text).toContain(from);
      project.write(path, text.replace(from, to));
    };
    const add = (path: string, text: string) => (): void =>
      project.write(path, (project.has(path) ? project.read(path) : "") + text);

    const edits: readonly (readonly [string, () => void, readonly string[], string])[] = [
      ["a comment in a helper", add("ctlib/io.py", "\n# why\n"), [], ""],
      [
        "a reformatted helper",
        swap(
          "ctlib/masks.py",
          '(volume > threshold).astype("u1")',
          "(\n        volume > threshold\n    ).astype('u1',)",
        ),
        [],
        "",
      ],
      [
        "a docstring",
        swap("ctlib/masks.py", "Voxels above", "All voxels above"),
        SEGMENT,
        "code ctlib/masks.py changed (imported by segment.py)",
      ],
      [
        "a helper of the first step",
        swap("ctlib/masks.py", "* ONE", "* (ONE + 1)"),
        ALL,
        "code ctlib/masks.py changed (imported by segment.py)",
      ],
      [
        "a helper of the second step",
        swap("ctlib/stats.py", "float(inside.mean())", "float(inside.mean() + 1)"),
        [...MEASURE, ...ENDS],
        "code ctlib/stats.py changed (imported by measure.py)",
      ],
      [
        "a helper of the command",
        swap("ctlib/text.py", "{name} ", "{name}: "),
        ["report"],
        "code ctlib/text.py changed (imported by ctlib/report.py)",
      ],
      [
        "a helper that is imported in a function",
        add("ctlib/lazy.py", "TWO = 2\n"),
        SEGMENT,
        "code ctlib/lazy.py changed (imported by ctlib/masks.py)",
      ],
      ["a helper that nobody imports", add("ctlib/unused.py", "Y = 2\n"), [], ""],
      ["a module for type checkers only", add("ctlib/kinds.py", "Y = 2\n"), [], ""],
      [
        "the package's own file",
        add("ctlib/__init__.py", "VERSION = 2\n"),
        [...SEGMENT, ...MEASURE, "report"],
        "code ctlib/__init__.py changed",
      ],
      [
        "a renamed function in a script",
        () => project.write("segment.py", project.read("segment.py").replaceAll("main()", "run()")),
        SEGMENT,
        "code segment.py changed",
      ],
      [
        "another expression in a script",
        swap("collect.py", 'split(".")[0]', 'split(".", 1)[0]'),
        ["collect"],
        "code collect.py changed",
      ],
      [
        "a param of the first step",
        swap("params.yaml", "-300", "-200"),
        ALL,
        "params threshold: -300 → -200",
      ],
      ["a param of the command", swap("params.yaml", "decimals: 1", "decimals: 2"), ["report"], "command: "],
      ["a param that nobody reads", swap("params.yaml", "unused: 4", "unused: 5"), [], ""],
      [
        "one image",
        () => copyFileSync(IMAGES[12] ?? "", project.path("images/010.nii.gz")),
        ["segment:010", "measure:010", ...ENDS],
        "file images/010.nii.gz changed",
      ],
      ["the times of an image", () => utimesSync(project.path("images/010.nii.gz"), 1, 1), [], ""],
      [
        "a new case",
        () => copyFileSync(IMAGES[12] ?? "", project.path("images/032.nii.gz")),
        ["segment:032", "measure:032", ...ENDS],
        "never built: case 032 is new",
      ],
      [
        "a case that is gone",
        () => rmSync(project.path("images/028.nii.gz")),
        ENDS,
        "file measures/028.json removed",
      ],
      [
        "a package that a helper imports",
        () => install("ctformat", "2.0"),
        [...SEGMENT, ...MEASURE],
        "package ctformat: 1.0 → 2.0",
      ],
      ["another package", () => install("other", "2.0"), [], ""],
      ["an unrelated file", add("README.md", "hello\n"), [], ""],
      ["an editor's swap file", add("ctlib/.masks.py.swp", "b0VIM"), [], ""],
      [
        "a reformatted pipeline",
        swap(
          "pipeline.yaml",
          'axes:\n  case: { glob: "images/*.nii.gz" }',
          "# cases\naxes:\n  case:\n    glob: images/*.nii.gz",
        ),
        [],
        "",
      ],
      [
        "a package in the place of a module",
        () => project.write("ctlib/stats/__init__.py", FILES["ctlib/stats.py"] ?? ""),
        MEASURE,
        "code ctlib/stats/__init__.py added (imported by measure.py)",
      ],
      ["a syntax error in what nobody imports", add("ctlib/unused.py", "def\n"), [], ""],
    ];

    test.each(edits)("%s", async (_name, edit, expected, cause) => {
      edit();
      if (cause !== "") {
        const target = expected.includes("report") ? "report.txt" : (expected[0] ?? "");
        expect((await project.lq("why", target)).stdout).toContain(cause);
      }
      expect((await ran()).sort()).toEqual([...expected].sort());
      // Undone: all comes back from the cache, or never went.
      execFileSync("git", ["checkout", "-q", "--", "."], { cwd: project.root });
      execFileSync("git", ["clean", "-fdq"], { cwd: project.root });
      rmSync(project.path("images/032.nii.gz"), { force: true });
      for (const [i, id] of CASES.entries()) {
        const path = project.path(`images/${id}.nii.gz`);
        const original = IMAGES[i] ?? "";
        if (!existsSync(path) || !readFileSync(path).equals(readFileSync(original)))
          copyFileSync(original, path);
      }
      for (const name of ["ctformat", "other"]) install(name, "1.0");
      expect(await ran()).toEqual([]);
    });

    test("a branch that is switched there and back", async () => {
      const git = (...words: string[]) => execFileSync("git", words, { cwd: project.root });
      git("checkout", "-qb", "other");
      swap("ctlib/masks.py", "* ONE", "* (ONE + 2)")();
      commit("other");
      git("checkout", "-q", "main");
      expect(await ran()).toEqual([]);
      git("checkout", "-q", "other");
      expect((await ran()).sort()).toEqual(ALL);
      git("checkout", "-q", "main");
      expect(await ran()).toEqual([]);
      git("checkout", "-q", "other");
      expect(await ran()).toEqual([]);
    });
  },
);
