/** A generator that is the user's own program: the guide's rule, then the study's rule `remap`. */
import { chmodSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { classNames, labelTable, labelTableText } from "../../tasks/study/labels/labels.ts";
import { readLabels, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { blocksOf, pipelinesIn, type Block } from "../documents/blocks.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

interface Rules {
  readonly [name: string]: { readonly run?: string; readonly cmd?: string };
}

const id = (name: string) => classNames("totalsegmentator-v2").indexOf(name);

/** The guide's rules for two programs. */
const [totalSegmentator, nnUNet] = pipelinesIn(blocksOf("docs/guide.md")).filter(({ text }) =>
  text.includes("predict-external:"),
);

function withoutGpu({ text }: Block): Rules {
  const rules = parse(text) as Rules;
  return Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, { ...rule, slots: {} }]));
}

/** One BTCV case. Its image holds the ids that the program shall "find" in it. */
async function study(ids: readonly number[], program = totalSegmentator): Promise<CliProject> {
  const { rules } = parse(readFileSync(`${HOME}pipeline.yaml`, "utf8"), { merge: true }) as { rules: Rules };
  const remap = { ...rules["remap"], run: `lq:${rules["remap"]!.run}` };
  const project = cliProject({
    "pipeline.yaml": stringify({
      version: 1,
      params: "params.yaml",
      axes: { dataset: ["btcv"], generator: { keys: "generators" } },
      rules: { ...withoutGpu(program!), remap },
    }),
    "params.yaml": stringify({
      sources: { btcv: { root: "ct" } },
      reading: {},
      generators: { "totalseg-py": { kind: "external", classes: "totalsegmentator-v2" } },
    }),
    "cases/btcv.json": JSON.stringify({ cases: [{ id: "1", image: ["img1.nii.gz"] }] }),
    "organs/btcv.json": labelTableText(labelTable("btcv")),
    "bin/TotalSegmentator": `#!/bin/sh\n[ "$1" = --version ] && { echo 2.4.0; exit; }\ncp "$2" "$4"\n`,
    "bin/nnUNetv2_predict": `#!/bin/sh\nmkdir "$8" && cp "$6/case_0000.nii.gz" "$8/case.nii.gz"\n`,
    "ct/img1.nii.gz": "",
  });
  for (const name of ["TotalSegmentator", "nnUNetv2_predict"]) chmodSync(project.path(`bin/${name}`), 0o755);
  const grid = {
    size: [ids.length, 1, 1],
    spacing: [1, 1, 1],
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  } as const;
  await writeNifti(project.path("ct/img1.nii.gz"), { ...grid, data: Uint8Array.from(ids) });
  return project;
}

async function build(project: CliProject) {
  const path = process.env["PATH"];
  process.env["PATH"] = `${project.path("bin")}:${path}`;
  try {
    return await project.lq("build", "labels/");
  } finally {
    process.env["PATH"] = path;
  }
}

test.each([
  ["TotalSegmentator", totalSegmentator],
  ["nnUNetv2_predict, which takes folders,", nnUNet],
])("labels of %s become the dataset's; classes without a label become background", async (_, program) => {
  const project = await study([0, id("liver"), id("spleen"), id("brain"), id("kidney_left")], program);
  expect(await build(project)).toMatchObject({ code: 0, stderr: "" });
  const { data } = await readLabels(project.path("labels/btcv/totalseg-py/1.nii.gz"));
  expect([...data]).toEqual([0, 6, 1, 0, 3]);
});

test("a value that is no class of the list is refused with the file's name", async () => {
  const { code, stdout, stderr } = await build(await study([200]));
  expect(code).toBe(1);
  expect(stdout + stderr).toContain(
    "external/btcv/totalseg-py/1.nii.gz: there is no class 200 in totalsegmentator-v2",
  );
});
