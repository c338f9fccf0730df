import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCaseList, writeCaseList } from "../../tasks/study/datasets/case-list.ts";
import { layouts } from "../../tasks/study/datasets/layouts.ts";
import { listCases } from "../../tasks/study/datasets/list-cases.ts";
import { testFolder } from "../helpers/folder.ts";

const found = (layout: string, ...paths: string[]) => listCases(layout, "data/x", paths);
const list = (layout: string, ...paths: string[]) =>
  found(layout, ...paths).cases.map(({ id, image, label }) => ({ id, image: image[0], label: label[0] }));
const ids = (layout: string, ...paths: string[]) => list(layout, ...paths).map(({ id }) => id);

describe("the cases of a dataset", () => {
  it("pairs BTCV's img and label by number, without test images and pre-registered pairs", () => {
    const cases = list(
      "btcv",
      "RawData/Training/img/img0021.nii.gz",
      "RawData/Training/img/img0002.nii.gz",
      "RawData/Training/label/label0002.nii.gz",
      "RawData/Training/label/label0021.nii.gz",
      "RawData/Testing/img/img0061.nii.gz",
      "RegData/Training-Training/img/0001/img0001-0002.nii.gz",
    );
    expect(cases).toEqual([
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

  it("takes only WORD's published training split, also below the archive's own folder", () => {
    const parts = ["Tr", "Val", "Ts"].flatMap((part) => [
      `WORD-V0.1.0/images${part}/word_000${part.length}.nii.gz`,
      `WORD-V0.1.0/labels${part}/word_000${part.length}.nii.gz`,
    ]);
    const litter = ["WORD-V0.1.0/imagesTr/._word_0009.nii.gz", "WORD-V0.1.0/labelsTr/.DS_Store"];
    expect(list("word", ...parts, ...litter).map(({ label }) => label)).toEqual([
      "WORD-V0.1.0/labelsTr/word_0002.nii.gz",
    ]);
  });

  it("leaves out AMOS's MR volumes, which have numbers above 500, and its validation part", () => {
    const train = ["0001", "0410", "0500", "0507", "0600"].flatMap((number) => [
      `imagesTr/amos_${number}.nii.gz`,
      `labelsTr/amos_${number}.nii.gz`,
    ]);
    const validation = ["imagesVa/amos_0008.nii.gz", "labelsVa/amos_0008.nii.gz"];
    expect(ids("amos", ...train, ...validation, "dataset.json")).toEqual([
      "amos_0001",
      "amos_0410",
      "amos_0500",
    ]);
  });

  it("finds CT-1K's images in any part, and leaves out those without a public mask", () => {
    const images = ["Part1/Case_00001_0000.nii.gz", "Part3/Case_00900_0000.nii.gz"];
    const unmasked = "Part2/Case_00500_0000.nii.gz";
    const masks = ["Mask/Case_00001.nii.gz", "Mask/Case_00900.nii.gz"];
    expect(list("ct1k", ...images, unmasked, ...masks).map(({ image }) => image)).toEqual(images);
    expect(
      ids(
        "ct1k",
        "imagesTr/Case_00003_0000.nii.gz",
        "labels/Case_00003.nii.gz",
        "imagesTs/Case_00009_0000.nii.gz",
      ),
    ).toEqual(["Case_00003"]);
  });

  it("prefers AbdomenAtlas's combined file, and else takes the folder of masks", () => {
    const files = ["BDMAP_00000001", "BDMAP_00000002"].flatMap((id) => [
      `${id}/ct.nii.gz`,
      `${id}/segmentations/liver.nii.gz`,
      `${id}/segmentations/spleen.nii.gz`,
    ]);
    const cases = list("abdomenatlas", ...files, "BDMAP_00000001/combined_labels.nii.gz");
    expect(cases.map(({ label }) => label)).toEqual([
      "BDMAP_00000001/combined_labels.nii.gz",
      "BDMAP_00000002/segmentations/",
    ]);
  });

  it("names SegTHOR's cases after their folders, and FLARE's after their labels", () => {
    const segthor = ["train/Patient_07/Patient_07.nii.gz", "train/Patient_07/GT.nii.gz"];
    expect(ids("segthor", ...segthor, "test/Patient_41.nii.gz")).toEqual(["Patient_07"]);
    const flare = "Training/FLARE22_LabeledCase50";
    const flare22 = [
      `${flare}/images/FLARE22_Tr_0003_0000.nii.gz`,
      `${flare}/labels/FLARE22_Tr_0003.nii.gz`,
      "Training/FLARE22_UnlabeledCase1-1000/Case_00001_0000.nii.gz",
      "Tuning/images/FLARETs_0001_0000.nii.gz",
      "Tuning/labels/FLARETs_0001.nii.gz",
    ];
    expect(ids("flare22", ...flare22)).toEqual(["FLARE22_Tr_0003"]);
    const flare21 = [
      ...["imagesTr/train_000_0000.nii.gz", "labelsTr/train_000.nii.gz"],
      ...["imagesTr/train_001.nii.gz", "labelsTr/train_001.nii.gz", "imagesTs/validation_001.nii.gz"],
    ];
    expect(ids("flare21", ...flare21)).toEqual(["train_000", "train_001"]);
  });

  it("ignores the hidden companions that macOS writes", () => {
    const files = [
      "imagesTr/a_0000.nii.gz",
      "imagesTr/._a_0000.nii.gz",
      "labelsTr/a.nii.gz",
      "labelsTr/._a.nii.gz",
    ];
    expect(list("nnunet-raw", ...files)).toEqual([
      { id: "a", image: "imagesTr/a_0000.nii.gz", label: "labelsTr/a.nii.gz" },
    ]);
    const masks = ["BDMAP_00000001/ct.nii.gz", "BDMAP_00000001/segmentations/._liver.nii.gz"];
    expect(() => list("abdomenatlas", ...masks)).toThrow("none of them a label");
  });

  it("replaces unsafe characters in the ids of own files", () => {
    const own = ["imagesTr/Müller, A_0000.nii.gz", "labelsTr/Müller, A.nii.gz"];
    expect(list("nnunet-raw", ...own, "imagesTr/b.nii", "labelsTr/b.nii")).toEqual([
      { id: "M_ller__A", image: "imagesTr/Müller, A_0000.nii.gz", label: "labelsTr/Müller, A.nii.gz" },
      { id: "b", image: "imagesTr/b.nii", label: "labelsTr/b.nii" },
    ]);
  });

  it("takes own volumes of any format; those that are not NIfTI are converted first", () => {
    const { cases, conversions, warnings } = found(
      "nnunet-raw",
      ...["imagesTr/a_0000.mhd", "imagesTr/a_0000.raw", "labelsTr/a.nrrd"],
      ...["imagesTr/b/IM1", "imagesTr/b/IM2", "labelsTr/b.NII.GZ"],
      ...["imagesTr/word_0001.nii", "labelsTr/word_0001.nhdr", "labelsTr/word_0001.raw.gz"],
    );
    expect(cases).toEqual([
      {
        ...{ id: "a", image: [], converted_image: ["imagesTr/a_0000.nii.gz"] },
        ...{ label: [], converted_label: ["labelsTr/a.nii.gz"] },
      },
      {
        ...{ id: "b", image: [], converted_image: ["imagesTr/b.nii.gz"] },
        ...{ label: ["labelsTr/b.NII.GZ"], converted_label: [] },
      },
      {
        ...{ id: "word_0001", image: ["imagesTr/word_0001.nii"], converted_image: [] },
        ...{ label: [], converted_label: ["labelsTr/word_0001.nii.gz"] },
      },
    ]);
    expect(conversions).toEqual([
      { id: "imagesTr/a_0000", files: ["imagesTr/a_0000.mhd", "imagesTr/a_0000.raw"] },
      { id: "imagesTr/b", files: ["imagesTr/b/"] },
      { id: "labelsTr/a", files: ["labelsTr/a.nrrd"] },
      { id: "labelsTr/word_0001", files: ["labelsTr/word_0001.nhdr", "labelsTr/word_0001.raw.gz"] },
    ]);
    expect(warnings).toEqual([]);
  });

  it("takes a number for a channel only if it is not a part of a case's own name", () => {
    const of = (...names: string[]) =>
      names.flatMap((name) => [`imagesTr/${name}.nii`, `labelsTr/${name}.nii`]);
    expect(ids("nnunet-raw", ...of("a", "a_0001", "b_0000"))).toEqual(["a", "a_0001", "b_0000"]);
    expect(() => ids("nnunet-raw", "imagesTr/a.nii", "imagesTr/a_0000.nii", "labelsTr/a.nii")).toThrow(
      'two volumes for case "a": a.nii and a_0000.nii',
    );
  });

  it("says once which own files are left out", () => {
    const { cases, warnings } = found(
      "nnunet-raw",
      ...["imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz", "imagesTr/readme.txt", "imagesTr/c.nii"],
      ...["imagesTr/._a_0000.nii.gz", "labelsTr/a.nii.gz", "labelsTr/notes.txt"],
    );
    expect(cases.map(({ id }) => id)).toEqual(["a"]);
    expect(warnings).toEqual([
      "warning: data/x/imagesTr/: left out 1 image without labels, such as c.nii",
      expect.stringMatching(
        /^warning: .*imagesTr\/: passed over 2 files, such as a_0001\.nii\.gz; expected are/,
      ),
      expect.stringMatching(/^warning: .*labelsTr\/: passed over 1 file, such as notes\.txt/),
    ]);
  });

  it.each(Object.keys(layouts))("says for %s which files to put where when there is no label", (layout) => {
    const { files } = layouts[layout as keyof typeof layouts];
    const message = () => list(layout, "readme.txt");
    expect(message).toThrow(
      `data/x has 1 file, none of them a label; the layout "${layout}" expects there:\n` +
        files.map((file) => `    data/x/${file}`).join("\n"),
    );
  });

  it("names labels without an image, and two files of one case", () => {
    const label = "labelsTr/word_0001.nii.gz";
    expect(() => list("word", label)).toThrow("data/x: 1 label without an image: labelsTr/word_0001.nii.gz");
    const images = ["imagesTr/word_0001.nii.gz", "copy/imagesTr/word_0001.nii.gz"];
    expect(() => list("word", label, ...images)).toThrow('two files for case "word_0001": imagesTr');
  });

  it("refuses an unknown layout", () => {
    expect(() => list("brats")).toThrow('no layout is called "brats"; known: btcv');
  });

  it("can be written to a case list and read back", () => {
    const cases = [
      {
        id: "a",
        image: ["imagesTr/a.nii.gz"],
        label: [],
        converted_image: [],
        converted_label: ["a.nii.gz"],
      },
    ];
    const known = { layout: "nnunet-raw", synthetic: false, cases, conversions: [] };
    const path = join(testFolder(), "cases.json");
    writeCaseList(path, known);
    expect(readCaseList(path)).toEqual(known);
    writeFileSync(path, '{ "cases": [{ "id": "a" }] }');
    expect(() => readCaseList(path)).toThrow(`${path}: ✖ Invalid input`);
  });
});
