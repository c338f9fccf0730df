/** Own CT in the study, by the words of data/README.md alone: its dataset.json, its profile, its command. */
import { readFileSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { createPhantom, phantomLabels } from "../../tasks/study/phantom/phantom.ts";
import { phantomSpec } from "../../tasks/study/phantom/spec.ts";
import { readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { writeDicomSeries } from "../helpers/dicom.ts";
import { setParam, tinyStudy } from "./tiny-study.ts";

const words = readFileSync(`${HOME}data/README.md`, "utf8").split("## Your own CT")[1]!;
const [, json = ""] = /dataset\.json +(\{.*\})/.exec(words) ?? [];
const [, profile = ""] = /```yaml\n(# profiles\/own\.yaml\n[^]*?)```/.exec(words) ?? [];
const [, command = ""] = /`lq (build [^`]*)`/.exec(words) ?? [];

test("a profile from the README adds a column; patch and network are planned; DICOM is read", async () => {
  const project = await tinyStudy();
  project.write("profiles/own.yaml", profile);
  project.write("data/own/dataset.json", json);
  const { labels } = JSON.parse(json) as { labels: { [name: string]: number } };
  const table = phantomLabels("flare22");
  const valueOf = new Map(
    [...table].map(([value, { organ }]) => [
      value,
      organ.startsWith("kidney") ? labels["kidney"]! : (labels[organ] ?? 0),
    ]),
  );
  for (const [i, id] of ["anna", "bert", "carl", "dora", "emil"].entries()) {
    const spec = { ...phantomSpec("flare22"), size: [14, 10, 8], spacing: [2.6, 2.6, 4] } as const;
    const { image, labels: organs } = createPhantom("flare22", spec, table, id, i + 1);
    const data = Int16Array.from(image.data, Math.round);
    if (i === 1) writeDicomSeries(project.path(`data/own/imagesTr/${id}`), { ...image, data });
    else {
      project.write(`data/own/imagesTr/${id}_0000.nii.gz`, "");
      await writeNifti(project.path(`data/own/imagesTr/${id}_0000.nii.gz`), { ...image, data });
    }
    project.write(`data/own/labelsTr/${id}.nii.gz`, "");
    const own = Uint8Array.from(organs.data, (value) => valueOf.get(value) ?? 0);
    await writeNifti(project.path(`data/own/labelsTr/${id}.nii.gz`), { ...organs, data: own });
  }
  project.write("data/own/imagesTr/anna_0001.nii.gz", "a second channel");
  const { code, stderr } = await project.lq(...command.split(" "));
  expect([code, stderr]).toEqual([0, ""]);
  expect(project.read("tables/quality.md")).toContain("Our CT");
  expect(project.read("plans/own.json")).toContain('"patch"');
  expect((await readNifti(project.path("volumes/own/imagesTr/bert.nii.gz"))).size.slice(0, 2)).toEqual([
    14, 10,
  ]);
  const { stdout } = await project.lq("log", "list-cases:own", "--profile", "own");
  expect(stdout).toMatch(/warning: data\/own\/imagesTr\/: passed over 1 file, such as anna_0001\.nii\.gz/);

  // With one case fewer than folds, the error says so.
  rmSync(project.path("data/own/labelsTr/emil.nii.gz"));
  setParam(project, "folds.count", 5);
  const few = await project.lq(...command.split(" "), "-k");
  expect(few.code).toBe(1);
  expect(few.stdout + few.stderr).toContain("4 cases cannot be cut into 5 folds");
});
