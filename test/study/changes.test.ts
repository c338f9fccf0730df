/**
 * After a change exactly the affected tasks run: those that oracle.ts derives from the meaning of the steps. `lq status`
 * predicts them. When the change is undone, nothing runs.
 */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { CliProject } from "../helpers/cli.ts";
import { readStudy, Ripple, type Study } from "./oracle.ts";
import { DATASETS, GENERATORS, removeCase, setParam, takeOther, TARGETS, tinyStudy } from "./tiny-study.ts";

const OUTPUTS = [
  ...["datasets", "quality", "in-domain", "segthor", "correlation"].map((name) => `tables/${name}.md`),
  ...["figures/in-domain.svg", "figures/qualitative.svg"],
];

interface Change {
  readonly name: string;
  make(project: CliProject): void;
  /** The tasks that must run, given the study after the change and before it. */
  expected(study: Study, before: Study): Ripple;
}

const versions = ["base", ...Object.keys(GENERATORS)];

const CHANGES: readonly Change[] = [
  {
    name: "one generator's param",
    make: (project) => setParam(project, "generators.totalseg.channels", [4, 4, 6]),
    expected: (study) => new Ripple(study).foundation("totalseg"),
  },
  {
    name: "one dataset's split seed",
    make: (project) => setParam(project, "datasets.btcv.split.seed", 2),
    expected: (study) => {
      const ripple = new Ripple(study).add("split:btcv");
      for (const version of versions) ripple.pretrain("btcv", version);
      return ripple;
    },
  },
  {
    name: "the epochs of fine-tuning",
    make: (project) => setParam(project, "training.finetune.epochs", 2),
    expected: (study) => {
      const ripple = new Ripple(study);
      for (const dataset of DATASETS) ripple.finetuneAll("segthor", dataset);
      return ripple;
    },
  },
  {
    name: "one case's image",
    make: (project) => takeOther(project, "image", "0001"),
    expected: (study) => new Ripple(study).image("btcv", "0001"),
  },
  {
    name: "the compression of one case's image",
    make: (project) => {
      const file = project.path("ct/btcv/RawData/Training/img/img0001.nii.gz");
      writeFileSync(file, gzipSync(gunzipSync(readFileSync(file)), { level: 1 }));
    },
    // Only tasks that read the file itself run. Their outputs stay the same, so no other task runs.
    expected: (study) =>
      new Ripple(study).add(
        ...["check-case:btcv/0001", "prepare:btcv/0001", "predict-foundation:btcv/totalseg/0001"],
        ...["predict-nnunet:btcv/nnunet/0001", "predict-prompted:btcv/medsam/0001"],
      ),
  },
  {
    name: "one case's label",
    make: (project) => takeOther(project, "label", "0002"),
    expected: (study) => new Ripple(study).label("btcv", "0002"),
  },
  {
    name: "a comment in a task module",
    make: (project) =>
      project.write("tasks/train.ts", `// A new comment.\n${project.read("tasks/train.ts")}`),
    expected: (study) => new Ripple(study),
  },
  {
    name: "a real change in a metric",
    make: (project) => {
      const file = "tasks/study/metrics/score.ts";
      const before = project.read(file);
      const after = before.replace("(inReference + inPrediction);", "(inReference + inPrediction + 1e-9);");
      expect(after).not.toBe(before);
      project.write(file, after);
    },
    expected: (study) => new Ripple(study).metric(),
  },
  {
    name: "a table's caption",
    make: (project) => setParam(project, "tables.segthor.caption", "Another caption."),
    expected: (study) => new Ripple(study).add("table-target:segthor"),
  },
  {
    name: "a case more",
    make: (project) => {
      takeOther(project, "image", "0004");
      takeOther(project, "label", "0004");
    },
    expected: (study, before) =>
      new Ripple(study).caseList("btcv", before).image("btcv", "0004").label("btcv", "0004"),
  },
  {
    name: "a case less",
    make: (project) => removeCase(project, "0003"),
    expected: (study, before) => new Ripple(study).caseList("btcv", before),
  },
  {
    name: "a display name",
    make: (project) => setParam(project, "names.medsam", "MedSAM, boxes"),
    expected: (study) =>
      new Ripple(study).add(
        ...["table-datasets", "table-quality", "table-in-domain", "table-target:segthor"],
        ...["table-correlation", "figure-in-domain", "figure-qualitative"],
      ),
  },
  {
    name: "a generator more",
    make: (project) =>
      setParam(project, "generators.stu-s", { kind: "foundation", classes: "stunet", channels: [2, 4, 4] }),
    expected: (study) =>
      new Ripple({ ...study, generators: { ...GENERATORS, "stu-s": "foundation" } }).foundation("stu-s"),
  },
];

test("thirteen changes of the study", { timeout: 900_000 }, async () => {
  const project = await tinyStudy();
  const saved = saveSources(project);
  expect((await build(project)).failed).toEqual([]);
  const before = currentStudy(project);

  for (const { name, make, expected } of CHANGES) {
    make(project);
    const foreseen = await foresee(project);
    const { ran, restored } = await build(project);
    expect.soft(ran, name).toEqual(expected(currentStudy(project), before).ids);
    expect.soft(restored, name).toEqual([]);
    expect
      .soft(
        foreseen.certain.filter((id) => !ran.includes(id)),
        name,
      )
      .toEqual([]);
    expect
      .soft(
        foreseen.fresh.filter((id) => ran.includes(id)),
        name,
      )
      .toEqual([]);

    saved.putBack();
    const undone = await build(project);
    expect.soft(undone.ran, `${name}, undone`).toEqual([]);
    expect.soft(undone.restored.length > 0, `${name}, undone`).toBe(ran.length > 0);
  }
});

/** Saves the files that a change may touch. putBack() rewrites only those that changed. */
function saveSources(project: CliProject): { putBack(): void } {
  const saved = new Map(sourcesOf(project).map((path) => [path, readFileSync(project.path(path))]));
  return {
    putBack() {
      for (const path of sourcesOf(project)) if (!saved.has(path)) rmSync(project.path(path));
      for (const [path, content] of saved)
        if (!project.has(path) || !content.equals(readFileSync(project.path(path))))
          writeFileSync(project.path(path), content);
    },
  };
}

function sourcesOf(project: CliProject): string[] {
  const below = ["tasks", "ct"].flatMap((folder) =>
    readdirSync(project.path(folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(folder, name),
    ),
  );
  return ["params.yaml", ...below.filter((path) => statSync(project.path(path)).isFile())];
}

function currentStudy(project: CliProject): Study {
  return readStudy(project.root, {
    datasets: DATASETS,
    targets: TARGETS,
    generators: GENERATORS,
    shown: "btcv",
  });
}

async function build(project: CliProject) {
  const { ran, restored, failed } = await project.build({ targets: OUTPUTS });
  return { ran, restored, failed };
}

/** The tasks that `lq status` says must run, and those it says are fresh. The others wait for a task that must run. */
async function foresee(project: CliProject) {
  const lines = await project.json("status", ...OUTPUTS);
  const having = (...states: string[]) =>
    lines.filter(({ state }) => states.includes(String(state))).map(({ task }) => String(task));
  return { certain: having("stale", "missing"), fresh: having("fresh") };
}
