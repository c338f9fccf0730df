/** Real CT through the study's own graph: a profile adds a dataset of two volumes with TotalSegmentator's labels. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import classes from "../../tasks/study/labels/classes.json" with { type: "json" };
import { readLabels } from "../../tasks/study/volume/nifti.ts";
import { shared } from "../helpers/shared.ts";
import { studyCopy } from "../helpers/study.ts";

const PROFILE = `
sources: { btcv: null, word: null, amos: null, ct1k: null, abdomenatlas: null, segthor: null, flare: null,
  own: { layout: nnunet-raw, root: data/own, phantom: null },
  corpus: { phantom: { cases: 2, spacing: [6, 6, 6] } } }
datasets: { btcv: null, word: null, amos: null, ct1k: null, abdomenatlas: null,
  own: { patch: [16, 24, 24], split: { seed: 1, train: 0.5 } } }
targets: { segthor: null, flare: null }
generators: { nnunet: null, medsam: null, totalseg: null, stu-b: null, stu-l: null, stu-h: null }
corpus: { patch: [16, 24, 32] }
training: { foundation: { epochs: 1, batches: 4 } }
inference: { step: 1 }
networks: { own: auto }
names: { own: Real CT }
`;

const folder = shared("data/totalsegmentator/abdomen3mm_ct.nii.gz")?.replace(/[^/]*$/, "") ?? null;

describe.skipIf(folder === null)("real CT", () => {
  it("is checked, predicted with remapped labels, scored and tabled", async () => {
    const project = studyCopy({ "profiles/real.yaml": PROFILE });
    for (const part of ["imagesTr", "labelsTr"])
      mkdirSync(project.path(`data/own/${part}`), { recursive: true });
    for (const name of ["abdomen3mm", "slab3mm"]) {
      cpSync(`${folder}${name}_ct.nii.gz`, project.path(`data/own/imagesTr/${name}_0000.nii.gz`));
      cpSync(`${folder}${name}_seg_ts3mm.nii.gz`, project.path(`data/own/labelsTr/${name}.nii.gz`));
    }
    const labels = Object.fromEntries(classes["totalsegmentator-v2"].map((name, id) => [name, id]));
    writeFileSync(project.path("data/own/dataset.json"), JSON.stringify({ labels }));

    const targets = ["tables/quality.md", "tables/datasets.md", "data/own.json"];
    const { code, stderr } = await project.lq("build", "--profile", "real", ...targets);
    expect([code, stderr]).toEqual([0, ""]);

    const manifest = JSON.parse(project.read("data/own.json")) as {
      warnings: string[];
      labels: Record<string, { absent: string[] }>;
    };
    expect(manifest).toMatchObject({ cases: 2, errors: [] });
    expect(manifest.labels["urinary_bladder"]?.absent).toEqual(["slab3mm"]);

    const predicted = await readLabels(project.path("labels/own/stu-s/abdomen3mm.nii.gz"));
    expect(predicted.size).toEqual([122, 101, 112]);
    const known = new Set(Object.values(labels));
    expect(new Set(predicted.data).size).toBeGreaterThan(1);
    for (const value of new Set(predicted.data)) expect(known).toContain(value);

    const score = JSON.parse(readFileSync(project.path("scores/own/stu-s/abdomen3mm.json"), "utf8")) as {
      predicts: string[];
      organs: Record<string, { dice: number | null }>;
    };
    expect(score.predicts).toContain("liver");
    expect(score.organs["liver"]?.dice).toBeGreaterThanOrEqual(0);
    expect(project.read("tables/quality.md")).toMatch(/Real CT/);
    expect(project.read("tables/quality.md")).not.toMatch(/synthetic/i);
    expect(project.read("tables/datasets.md")).toContain("Partly synthetic: all numbers of the rows corpus");
    expect(project.read("tables/datasets.md")).toMatch(/\| Real CT \| 2 \| – \| 117 \|/);
  });
});
