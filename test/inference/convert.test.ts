import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { predictCase } from "../../tasks/study/inference/predict.ts";
import { recogniseModel } from "../../tasks/study/inference/recognise.ts";
import { readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { totalSegmentatorTask } from "../../tasks/study/inference/totalsegmentator-tasks.ts";
import { cropArray } from "../../tasks/study/resample/crop.ts";
import { readHeader, readNifti, writeNifti } from "../../tasks/study/volume/nifti.ts";
import { shared } from "../helpers/shared.ts";
import { testFolder } from "../helpers/folder.ts";

const v2 = shared("golden/04_nnunet_v2");
const v1 = shared("golden/08_nnunet_v1_stunet/c_generic_unet/Task502_Toy");
const trained = "Dataset902_ToyOldPlans/nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres";

test("a folder without a model is refused; the error says what was expected", async () => {
  await expect(recogniseModel(testFolder())).rejects.toThrow("plans.json");
});

test.skipIf(!v2)("several models in one folder are refused with a list", async () => {
  await expect(recogniseModel(v2!)).rejects.toThrow(/4 models[\s\S]*Dataset901[\s\S]*Dataset904/);
});

test.skipIf(!v2)("the hidden companions that macOS writes are no models and no checkpoints", async () => {
  const root = testFolder();
  cpSync(`${v2}/m2/${trained}`, join(root, "model"), { recursive: true });
  for (const name of ["._sam.pth", ".hidden.pth", "model/fold_0/._checkpoint_final.pth"])
    writeFileSync(join(root, name), "macOS");
  mkdirSync(join(root, "._model"));
  for (const name of ["plans.json", "dataset.json"]) writeFileSync(join(root, "._model", name), "{}");
  expect(await recogniseModel(root)).toMatchObject({
    kind: "nnunet-v2",
    members: [{ folder: join(root, "model") }],
  });
  const log: string[] = [];
  await convertModel(root, testFolder(), { log: (line) => log.push(line) });
  expect(log.join()).not.toContain("._");
  // A fold that holds nothing else has no checkpoint.
  rmSync(join(root, "model/fold_0/checkpoint_final.pth"));
  await expect(convertModel(root, testFolder(), { checkpoint: "._checkpoint_final.pth" })).rejects.toThrow(
    "no trained network",
  );
});

/** Makes a TotalSegmentator of toy networks. `parts` gives the label names of each part's dataset. */
function totalSegmentator(parts: Record<string, string[]>): string {
  const root = testFolder();
  for (const [dataset, names] of Object.entries(parts)) {
    const folder = join(root, dataset, "nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres");
    mkdirSync(folder, { recursive: true });
    cpSync(`${v2}/m2/${trained}`, folder, { recursive: true });
    const path = join(folder, "dataset.json");
    const json = JSON.parse(readFileSync(path, "utf8")) as { labels: Record<string, number> };
    json.labels = Object.fromEntries(["background", ...names].map((name, i) => [name, i]));
    writeFileSync(path, JSON.stringify(json));
  }
  return root;
}

const six = ["spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach"];
const image = `${v2}/m2/images/s01_0000.nii.gz`;

test.skipIf(!v2)("TotalSegmentator: five parts are one model with global ids; later parts win", async () => {
  const last = ["rib_left_1", "rib_left_2", "rib_left_3", "rib_left_4", "rib_left_5", "rib_left_6"];
  const ids = [291, 292, 293, 294].map((id) => [`Dataset${id}_Part`, six] as const);
  const root = totalSegmentator({ ...Object.fromEntries(ids), Dataset295_Ribs: last });
  expect(await recogniseModel(root)).toHaveProperty("weights.folders.length", 5);
  const out = testFolder();
  await convertModel(root, out);
  const model = await readModel(out);
  expect(model).toMatchObject({ kind: "totalsegmentator", spacing: [1.5, 1.5, 1.5], step: 0.8, order: 1 });
  const corner = await cornerOf(image);
  const labels = await predictCase(out, [corner], { threads: 2 });
  const found = [...new Set(labels.data)].filter((v) => v !== 0);
  // The five networks are equal, so the ribs overwrite everything that the first parts wrote.
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((id) => id >= 92 && id <= 97)).toBe(true);
  const { shape, affine } = await readHeader(corner);
  expect(labels.size).toEqual(shape.slice(0, 3));
  expect(labels.affine).toEqual(affine);
});

test.skipIf(!v2)(
  "TotalSegmentator: the 3 mm network is recognised by its folder or by its plans",
  async () => {
    const root = totalSegmentator({ Dataset297_Total3mm: six });
    expect(await recogniseModel(root)).toMatchObject({
      kind: "totalsegmentator",
      weights: { task: "total_fast", folders: [expect.anything()], crop: null },
    });
    const folder = join(root, "Dataset297_Total3mm/nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres");
    const moved = testFolder();
    cpSync(folder, moved, { recursive: true });
    expect(await recogniseModel(moved)).toMatchObject({
      kind: "nnunet-v2",
      members: [{ dataset: "Dataset902_ToyOldPlans", previous: null }],
    });
    edit(join(moved, "plans.json"), (text) => text.replace("Dataset902_ToyOldPlans", "Dataset297_Total3mm"));
    expect(await recogniseModel(moved)).toMatchObject({
      kind: "totalsegmentator",
      weights: { folders: [moved] },
    });
    const out = testFolder();
    await convertModel(moved, out);
    expect(await readModel(out)).toMatchObject({
      kind: "totalsegmentator",
      step: 0.8,
      spacing: [3, 3, 3],
      labels: { spleen: 1 },
    });
  },
);

/** Writes a corner of an image that fits into one window. */
async function cornerOf(path: string): Promise<string> {
  const volume = await readNifti(path);
  const [x, y, z] = volume.size;
  const box = { start: [z - 20, y - 24, x - 24], end: [z, y, x] } as const;
  const corner = join(testFolder(), "corner_0000.nii.gz");
  const data = cropArray(Float32Array.from(volume.data), [z, y, x], box);
  await writeNifti(corner, { ...volume, data, size: [24, 24, 20] });
  return corner;
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

test.skipIf(!v2)("TotalSegmentator: a label that is none of its classes is refused", async () => {
  const root = totalSegmentator({ Dataset297_Total3mm: [...six.slice(1), "elbow"] });
  await expect(convertModel(root, testFolder())).rejects.toThrow("elbow is no class");
});

test.skipIf(!v2)(
  "weights that do not fit the plans are refused; the error names file, weight and shapes",
  async () => {
    const root = join(testFolder(), "Dataset902_Toy");
    cpSync(`${v2}/m2/${trained}`, join(root, "T__P__3d_fullres"), { recursive: true });
    edit(join(root, "T__P__3d_fullres", "plans.json"), (text) =>
      text.replace('"UNet_base_num_features": 6', '"UNet_base_num_features": 8'),
    );
    await expect(convertModel(root, testFolder())).rejects.toThrow(
      /checkpoint_final\.pth: weight encoder\.stages\.0\S* is of shape \[6, 1, 3, 3, 3\].*\[8, 1, 3, 3, 3\]/,
    );
  },
);

test.skipIf(!v2)("mirror: on needs a training with mirroring; channels and folds are checked", async () => {
  const out = testFolder();
  await convertModel(`${v2}/m2`, out);
  await expect(predictCase(out, [image], { mirror: "on" })).rejects.toThrow("does not allow mirroring");
  await expect(predictCase(out, [image, image])).rejects.toThrow("takes 1 image (channel)");
  await expect(predictCase(out, [image], { folds: ["3"] })).rejects.toThrow("no fold 3, only 0");
});

test.skipIf(!v2)("TotalSegmentator never mirrors, and takes the folds of its table", async () => {
  const mirrored = `${v2}/m3/Dataset903_ToyAniso/nnUNetTrainer__nnUNetPlans__3d_fullres`;
  const out = testFolder();
  await convertModel(mirrored, out);
  expect(await readModel(out)).toMatchObject({ mirrorAxes: [0, 1, 2] });

  const folder = join(testFolder(), "Dataset297_Total3mm", "nnUNetTrainer__nnUNetPlans__3d_fullres");
  cpSync(mirrored, folder, { recursive: true });
  cpSync(join(folder, "fold_0"), join(folder, "fold_1"), { recursive: true });
  const path = join(folder, "dataset.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as { labels: Record<string, number> };
  const names = ["background", ...six].slice(0, Object.keys(json.labels).length);
  writeFileSync(
    path,
    JSON.stringify({ ...json, labels: Object.fromEntries(names.map((name, i) => [name, i])) }),
  );
  const total = testFolder();
  await convertModel(join(folder, ".."), total);
  expect(await readModel(join(total, "part1_Dataset297_Total3mm"))).toMatchObject({
    mirrorAxes: [],
    folds: [{ fold: "0" }],
  });
});

test.skipIf(!v2)("TotalSegmentator: a crop by a task that is cropped itself", async () => {
  const names = (task: string) => Object.keys(totalSegmentatorTask(task).classes).slice(0, 6);
  const folders = (task: string) => totalSegmentatorTask(task).datasets[0]!;
  const root = totalSegmentator({
    [folders("teeth")]: names("teeth"),
    [folders("craniofacial_structures")]: [
      "teeth_lower",
      "teeth_upper",
      "skull",
      "head",
      "mandible",
      "sinus_frontal",
    ],
    [folders("total_fastest")]: ["skull", ...six.slice(1)],
  });
  expect(await recogniseModel(root)).toMatchObject({
    weights: {
      task: "teeth",
      crop: { task: "craniofacial_structures", crop: { task: "total_fastest", crop: null } },
    },
  });
  const out = testFolder();
  await convertModel(root, out);
  expect(await readModel(out)).toMatchObject({ crop: { margin: [10, 10, 10] }, spacing: [0.5, 0.5, 0.5] });
  expect(await readModel(join(out, "rough"))).toMatchObject({ crop: { margin: [20, 20, 20] } });
  expect(await readModel(join(out, "rough", "rough"))).toMatchObject({ spacing: [6, 6, 6], step: 0.8 });
});

test.skipIf(!v2)("folds are in the order of their numbers", async () => {
  const folder = join(testFolder(), "Dataset902_Toy", "T__P__3d_fullres");
  cpSync(`${v2}/m2/${trained}`, folder, { recursive: true });
  for (const fold of ["fold_2", "fold_10"])
    cpSync(join(folder, "fold_0"), join(folder, fold), { recursive: true });
  const out = testFolder();
  await convertModel(folder, out);
  expect(await readModel(out)).toMatchObject({ folds: [{ fold: "0" }, { fold: "2" }, { fold: "10" }] });
});

test.skipIf(!v1)("nnU-Net v1 mirrors on all axes, unless the trainer's name says otherwise", async () => {
  for (const [trainer, axes] of [
    ["nnUNetTrainerV2", [0, 1, 2]],
    ["nnUNetTrainerV2_noMirroring", []],
  ] as const) {
    const folder = join(testFolder(), "Task502_Toy", `${trainer}__nnUNetPlansv2.1`);
    cpSync(`${v1}/nnUNetTrainerV2__nnUNetPlansv2.1`, folder, { recursive: true });
    const out = testFolder();
    await convertModel(folder, out);
    expect(await readModel(out)).toMatchObject({ mirrorAxes: axes });
  }
});

test.skipIf(!v2)("readers that reorient images are known by name; others are refused", async () => {
  const copy = join(testFolder(), "Dataset902_Toy", "T__P__3d_fullres");
  cpSync(`${v2}/m2/${trained}`, copy, { recursive: true });
  const reads = async (reader: string) => {
    edit(join(copy, "plans.json"), (text) => text.replace(/("image_reader_writer": )"\w+"/, `$1"${reader}"`));
    const out = testFolder();
    await convertModel(copy, out);
    return readModel(out);
  };
  expect(await reads("SimpleITKIOWithReorient")).toMatchObject({ reorient: true });
  expect(await reads("NibabelIOWithReorient")).toMatchObject({ reorient: true });
  expect(await reads("SimpleITKIO")).toMatchObject({ reorient: false });
  await expect(reads("Tiff3DIO")).rejects.toThrow("image reader Tiff3DIO is not supported");
});

test.skipIf(!v2 || !v1)(
  "nnU-Net v1's cascades, and trainers with other layers, are refused by name",
  async () => {
    for (const [trainer, message] of [
      ["nnUNetTrainerV2CascadeFullRes", "second stage of a cascade"],
      ["nnUNetTrainerV2_ReLU_convReLUIN", "changes the network's norm or non-linearity"],
      ["nnUNetTrainerV2_GN", "changes the network's norm or non-linearity"],
    ] as const) {
      const folder = join(testFolder(), "Task502_Toy", `${trainer}__nnUNetPlansv2.1`);
      cpSync(`${v1}/nnUNetTrainerV2__nnUNetPlansv2.1`, folder, { recursive: true });
      await expect(convertModel(folder, testFolder())).rejects.toThrow(message);
    }
  },
);
