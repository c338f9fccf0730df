/** Plans the paper's graph from empty files in the datasets' layouts. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { studyCopy } from "../helpers/study.ts";

const digits = (value: number, width: number): string => String(value).padStart(width, "0");
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Files below data/: images and labels with the published numbers. */
function files(): string[] {
  const pairs = (numbers: readonly number[], ...names: readonly ((n: number) => string)[]): string[] =>
    numbers.flatMap((n) => names.map((name) => name(n)));
  const flare = "flare/Training/FLARE22_LabeledCase50";
  return [
    ...pairs(
      [...range(1, 10), ...range(21, 40)],
      (n) => `btcv/RawData/Training/img/img${digits(n, 4)}.nii.gz`,
      (n) => `btcv/RawData/Training/label/label${digits(n, 4)}.nii.gz`,
    ),
    ...["images", "labels"].flatMap((part) => [
      ...pairs(range(1, 100), (n) => `word/WORD-V0.1.0/${part}Tr/word_${digits(n, 4)}.nii.gz`),
      ...pairs([...range(1, 200), ...range(507, 546)], (n) => `amos/${part}Tr/amos_${digits(n, 4)}.nii.gz`),
    ]),
    ...pairs(range(1, 1062), (n) => `ct1k/Part${1 + (n % 3)}/Case_${digits(n, 5)}_0000.nii.gz`),
    ...pairs(range(1, 1000), (n) => `ct1k/Mask/Case_${digits(n, 5)}.nii.gz`),
    ...pairs(
      range(1, 5195),
      (n) => `abdomenatlas/BDMAP_${digits(n, 8)}/ct.nii.gz`,
      (n) => `abdomenatlas/BDMAP_${digits(n, 8)}/combined_labels.nii.gz`,
    ),
    ...pairs(
      range(1, 40),
      (n) => `segthor/train/Patient_${digits(n, 2)}/Patient_${digits(n, 2)}.nii.gz`,
      (n) => `segthor/train/Patient_${digits(n, 2)}/GT.nii.gz`,
    ),
    ...pairs(
      range(1, 50),
      (n) => `${flare}/images/FLARE22_Tr_${digits(n, 4)}_0000.nii.gz`,
      (n) => `${flare}/labels/FLARE22_Tr_${digits(n, 4)}.nii.gz`,
    ),
  ];
}

describe("the profile paper", () => {
  it("says for every missing dataset which files to put where, before any work", async () => {
    const project = studyCopy();
    const { code, stderr } = await project.lq("build", "--profile", "paper");
    expect(code).toBe(2);
    const missing = [
      ["btcv", "30 cases, RawData/Training/img/img####.nii.gz", "syn3193805"],
      ["word", "100 cases, imagesTr/word_####.nii.gz", "HiLab-git/WORD"],
      ["amos", "200 cases, imagesTr/amos_####.nii.gz", "7155725"],
      ["ct1k", "1000 cases, Case_#####_0000.nii.gz", "JunMa11/AbdomenCT-1K"],
      ["abdomenatlas", "5195 cases", "MrGiovanni/AbdomenAtlas"],
      ["segthor", "40 cases, train/Patient_##", "21145"],
      ["flare", "50 cases, Training/FLARE22_LabeledCase50", "7860267"],
    ] as const;
    for (const [name, ...words] of missing) {
      const said = stderr.split("\n\n").find((part) => part.includes(`"data/${name}/"`));
      for (const word of words) expect(said).toContain(word);
    }
  });

  it("also names every missing model that the targets need, and no other", async () => {
    const models = async (...target: string[]) => {
      const { code, stderr } = await studyCopy().lq("build", "--profile", "paper", ...target);
      expect(code).toBe(2);
      return stderr
        .split("\n\n")
        .map((part) => [/"(published\/.*?)"/.exec(part)?.[1], /hint: (.*)/.exec(part)?.[1]])
        .filter(([path]) => path !== undefined);
    };
    const all = [
      ["published/totalsegmentator/", expect.stringContaining("Dataset291_… to Dataset295_…")],
      ["published/stunet-small/", expect.stringContaining("small_ep4k.model.pkl")],
      ["published/stunet-base/", expect.stringContaining("base_ep4k.model.pkl")],
      ["published/stunet-large/", expect.stringContaining("large_ep4k.model.pkl")],
      ["published/stunet-huge/", expect.stringContaining("huge_ep4k.model.pkl")],
      ["published/medsam/", expect.stringContaining("medsam_vit_b.pth")],
    ];
    expect(await models("tables/segthor.md")).toEqual(all);
    expect(await models("checkpoints/btcv/stu-b.safetensors")).toEqual([all[2]]);
    expect(await models("tables/datasets.md")).toEqual([]);
  });

  it("takes FLARE 2021 instead of 2022, from a folder anywhere", async () => {
    const elsewhere = cliProject({});
    for (const file of [
      "imagesTr/train_001_0000",
      "imagesTr/train_002",
      "labelsTr/train_001",
      "labelsTr/train_002",
    ])
      elsewhere.write(`FLARE21/${file}.nii.gz`, "");
    const profiles = ["--profile", "paper", "--profile", "flare21"];
    const root = `sources.flare.root=${elsewhere.path("FLARE21")}`;
    const project = studyCopy();
    const checks = await project.json("build", ...profiles, "--set", root, "-n", "checks/flare/");
    expect(checks.filter(({ type }) => type === "plan").at(-1)?.["rules"]).toEqual({
      "list-cases": 1,
      "label-table": 1,
      "check-case": 2,
    });
    // The folder exists, but its files are not FLARE 2022.
    const { code, stdout, stderr } = await project.lq(
      "build",
      "--profile",
      "paper",
      "--set",
      root,
      "checks/flare/",
    );
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(
      `has 4 files, none of them a label; the layout "flare22" expects there:`,
    );
    expect(stdout + stderr).toContain("FLARE21/Training/FLARE22_LabeledCase50/labels/FLARE22_Tr_####.nii.gz");
    expect(stdout + stderr).not.toMatch(/\n.* at .*:\d+:\d+/);
  });

  it("plans the paper's graph from file names", { timeout: 600_000 }, async () => {
    const project = studyCopy();
    for (const file of files()) {
      mkdirSync(dirname(project.path(`data/${file}`)), { recursive: true });
      writeFileSync(project.path(`data/${file}`), "");
    }
    for (const weights of [
      "medsam",
      "totalsegmentator",
      "stunet-small",
      "stunet-base",
      "stunet-large",
      "stunet-huge",
    ])
      mkdirSync(project.path(`published/${weights}`), { recursive: true });
    const events = await project.json("build", "--profile", "paper", "-n", "tables/segthor.md");
    const rules = events.filter(({ type }) => type === "plan").at(-1)?.["rules"] as Record<string, number>;
    const base = 30 + 100 + 200 + 1000 + 5195;
    // Only training cases need pseudo-labels. nnU-Net's folds train on the dataset's own labels of all cases.
    const train = 24 + 80 + 160 + 800 + 4156;
    expect(rules).toMatchObject({
      "check-case": base + 40,
      original: base + 40,
      prepare: base,
      "prepare-labels": base + 7 * train,
      "train-nnunet": 5 * 5,
      "predict-nnunet": train,
      convert: 5,
      "predict-published": 5 * train,
      "convert-medsam": 1,
      "predict-medsam": train,
      pretrain: 5 * 8,
      "prepare-target": 5 * 40,
      scratch: 5,
      finetune: 5 * 8,
      "evaluate-target": 5 * 9,
    });
    expect(project.has("cases/btcv.json")).toBe(false);
  });
});
