import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { caseList, caseListText } from "../../tasks/lib/datasets/case-list.ts";
import { indexDataset } from "../../tasks/lib/datasets/index-dataset.ts";
import { layouts } from "../../tasks/lib/datasets/layouts.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dataset-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), "");
  }
}

describe("the index of a dataset", () => {
  it("pairs BTCV's img and label by number, passing over the test images and pre-registered pairs", async () => {
    put(
      "RawData/Training/img/img0021.nii.gz",
      "RawData/Training/img/img0002.nii.gz",
      "RawData/Training/label/label0002.nii.gz",
      "RawData/Training/label/label0021.nii.gz",
      "RawData/Testing/img/img0061.nii.gz",
      "RegData/Training-Training/img/0001/img0001-0002.nii.gz",
    );
    expect(await indexDataset("btcv", root)).toEqual([
      {
        id: "0002",
        image: "RawData/Training/img/img0002.nii.gz",
        label: "RawData/Training/label/label0002.nii.gz",
      },
      {
        id: "0021",
        image: "RawData/Training/img/img0021.nii.gz",
        label: "RawData/Training/label/label0021.nii.gz",
      },
    ]);
  });

  it("takes WORD's published training split only, also below the archive's own folder", async () => {
    for (const part of ["Tr", "Val", "Ts"]) {
      put(`WORD-V0.1.0/images${part}/word_000${part.length}.nii.gz`);
      put(`WORD-V0.1.0/labels${part}/word_000${part.length}.nii.gz`);
    }
    put("WORD-V0.1.0/imagesTr/._word_0009.nii.gz", "WORD-V0.1.0/labelsTr/.DS_Store");
    const cases = await indexDataset("word", root);
    expect(cases.map(({ label }) => label)).toEqual(["WORD-V0.1.0/labelsTr/word_0002.nii.gz"]);
  });

  it("leaves out AMOS's MR volumes", async () => {
    for (const number of ["0001", "0410", "0507", "0600"]) {
      put(`imagesTr/amos_${number}.nii.gz`, `labelsTr/amos_${number}.nii.gz`);
    }
    put("imagesVa/amos_0008.nii.gz", "labelsVa/amos_0008.nii.gz");
    const cases = await indexDataset("amos", root);
    expect(cases.map(({ id }) => id)).toEqual(["amos_0001", "amos_0410"]);
  });

  it("finds CT-1K's images in any part, and passes over those without a public mask", async () => {
    put("Part1/Case_00001_0000.nii.gz", "Part3/Case_00900_0000.nii.gz", "Part2/Case_00500_0000.nii.gz");
    put("Mask/Case_00001.nii.gz", "Mask/Case_00900.nii.gz");
    const cases = await indexDataset("ct1k", root);
    expect(cases.map(({ image }) => image)).toEqual([
      "Part1/Case_00001_0000.nii.gz",
      "Part3/Case_00900_0000.nii.gz",
    ]);
  });

  it("prefers AbdomenAtlas's combined file, and takes the folder of masks where there is none", async () => {
    for (const id of ["BDMAP_00000001", "BDMAP_00000002"]) {
      put(`${id}/ct.nii.gz`, `${id}/segmentations/liver.nii.gz`, `${id}/segmentations/spleen.nii.gz`);
    }
    put("BDMAP_00000001/combined_labels.nii.gz");
    const cases = await indexDataset("abdomenatlas", root);
    expect(cases.map(({ label }) => label)).toEqual([
      "BDMAP_00000001/combined_labels.nii.gz",
      "BDMAP_00000002/segmentations/",
    ]);
  });

  it("names SegTHOR's cases after their folders, and FLARE's after their labels", async () => {
    put("train/Patient_07/Patient_07.nii.gz", "train/Patient_07/GT.nii.gz", "test/Patient_41.nii.gz");
    const flare = "Training/FLARE22_LabeledCase50";
    put(`${flare}/images/FLARE22_Tr_0003_0000.nii.gz`, `${flare}/labels/FLARE22_Tr_0003.nii.gz`);
    put("Training/FLARE22_UnlabeledCase1-1000/Case_00001_0000.nii.gz");
    put("imagesTr/train_000_0000.nii.gz", "labelsTr/train_000.nii.gz");
    put("imagesTr/train_001.nii.gz", "labelsTr/train_001.nii.gz");
    expect((await indexDataset("segthor", root)).map(({ id }) => id)).toEqual(["Patient_07"]);
    expect((await indexDataset("flare22", root)).map(({ id }) => id)).toEqual(["FLARE22_Tr_0003"]);
    expect((await indexDataset("flare21", root)).map(({ id }) => id)).toEqual(["train_000", "train_001"]);
  });

  it("makes ids of one's own files safe for paths", async () => {
    put("imagesTr/Müller, A_0000.nii.gz", "labelsTr/Müller, A.nii.gz");
    put("imagesTr/b.nii", "labelsTr/b.nii");
    expect(await indexDataset("nnunet-raw", root)).toEqual([
      { id: "M_ller__A", image: "imagesTr/Müller, A_0000.nii.gz", label: "labelsTr/Müller, A.nii.gz" },
      { id: "b", image: "imagesTr/b.nii", label: "labelsTr/b.nii" },
    ]);
  });

  it("follows links", async () => {
    put("store/word_0001.nii.gz");
    mkdirSync(join(root, "data/labelsTr"), { recursive: true });
    symlinkSync(join(root, "store"), join(root, "data/imagesTr"));
    symlinkSync(join(root, "store/word_0001.nii.gz"), join(root, "data/labelsTr/word_0001.nii.gz"));
    expect(await indexDataset("word", join(root, "data"))).toHaveLength(1);
  });

  it.each(Object.keys(layouts))("says for %s what to put where when there is nothing", async (layout) => {
    const { files, source } = layouts[layout as keyof typeof layouts];
    const absent = join(root, "absent");
    const message = await indexDataset(layout, absent).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(message).toContain(`${absent} is empty or absent, but the layout "${layout}" expects there:`);
    for (const file of files) expect(message).toContain(`    ${absent}/${file}`);
    expect(message).toContain(`Source: ${source}.`);
  });

  it("says so when the folder holds something else", async () => {
    put("readme.txt");
    await expect(indexDataset("word", root)).rejects.toThrow("has 1 file, none of them a label");
  });

  it("names labels without an image, and two files that claim one case", async () => {
    put("labelsTr/word_0001.nii.gz");
    await expect(indexDataset("word", root)).rejects.toThrow(
      "1 label without an image: labelsTr/word_0001.nii.gz",
    );
    put("imagesTr/word_0001.nii.gz", "copy/imagesTr/word_0001.nii.gz");
    await expect(indexDataset("word", root)).rejects.toThrow('two files for case "word_0001": copy/imagesTr');
  });

  it("refuses an unknown layout", async () => {
    await expect(indexDataset("brats", root)).rejects.toThrow('no layout is called "brats"; known: btcv');
  });

  it("becomes a case list whose paths start at the project", () => {
    const entry = { id: "a", image: "imagesTr/a.nii.gz", label: "masks/a/" };
    const placed = { id: "a", image: "data/own/imagesTr/a.nii.gz", label: "data/own/masks/a/" };
    expect(caseList(caseListText("data/own", [entry]))).toEqual({ cases: [placed] });
    expect(caseListText("data/own/", [entry])).toBe(caseListText("data/own", [entry]));
    expect(() => caseList('{ "cases": [{ "id": "a" }] }')).toThrow("not a case list");
  });
});
