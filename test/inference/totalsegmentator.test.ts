/** Golden set 09 e: tasks of TotalSegmentator with parts and with a rough crop, stage by stage; and the table of tasks. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import type { NetworkModel, TotalSegmentatorModel } from "../../tasks/study/inference/model.ts";
import { predictCase } from "../../tasks/study/inference/predict.ts";
import { predictVolumes, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { preprocess } from "../../tasks/study/inference/preprocess.ts";
import { recogniseModel } from "../../tasks/study/inference/recognise.ts";
import {
  atSpacing,
  joinPart,
  predictTotalSegmentator,
} from "../../tasks/study/inference/totalsegmentator.ts";
import { cropBox } from "../../tasks/study/inference/totalsegmentator-crop.ts";
import {
  idsByName,
  totalSegmentatorTask,
  totalSegmentatorTasks,
} from "../../tasks/study/inference/totalsegmentator-tasks.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { toCanonical } from "../../tasks/study/volume/orient.ts";
import type { LabelVolume } from "../../tasks/study/volume/volume.ts";
import { type NpyArray, readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { differing, greatestDifference } from "./golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

const root = shared("golden/09_nnunet_more/e_totalseg_parts");
const image = `${root}/images/mr.nii.gz`;
const expected = (name: string) => `${root}/expected/${name}`;

interface Facts {
  readonly class_maps: { readonly parts: Record<string, Record<string, string>> };
  readonly liver_segments_mr: { readonly crop_box_xyz_half_open: [number, number][] };
}
const facts = () => JSON.parse(readFileSync(`${root}/expected.json`, "utf8")) as Facts;

async function converted(task: string): Promise<[folder: string, model: TotalSegmentatorModel]> {
  const out = testFolder();
  await convertModel(`${root}/models`, out, { task });
  return [out, (await readModel(out)) as TotalSegmentatorModel];
}

/** Number of voxels that differ, and of those that are not among the borderline voxels (x, y, z). */
function wrong(labels: LabelVolume, reference: LabelVolume, borderline: ArrayLike<number>): number {
  const [nx, ny] = labels.size;
  const ties = new Set<number>();
  for (let i = 0; i < borderline.length; i += 3)
    ties.add(borderline[i]! + nx * (borderline[i + 1]! + ny * borderline[i + 2]!));
  expect(labels.size).toEqual(reference.size);
  return [...labels.data].filter((value, i) => value !== reference.data[i] && !ties.has(i)).length;
}

test.skipIf(!root)("total_mr: the image is resampled with order 1, cut to whole numbers", async () => {
  const resampled = await atSpacing(
    toCanonical(await readNifti(image, { float32: true })),
    [1.5, 1.5, 1.5],
    1,
  );
  const golden = await readNifti(expected("total_mr_resampled_image.nii.gz"));
  expect(resampled.size).toEqual(golden.size);
  const share = differing(resampled.data, golden.data);
  console.info(`resampled: ${share * golden.data.length} of ${golden.data.length} voxels differ`);
  // A value just below a whole number is cut to the one below.
  expect(greatestDifference(resampled.data, golden.data)).toBeLessThanOrEqual(1);
  expect(share * golden.data.length).toBeLessThanOrEqual(130);
});

test.skipIf(!root)("total_mr: both parts and the joined labels from the recorded image", async () => {
  const [folder, model] = await converted("total_mr");
  expect(model).toMatchObject({ spacing: [1.5, 1.5, 1.5], order: 1, step: 0.8 });
  const resampled = await readNifti(expected("total_mr_resampled_image.nii.gz"), { float32: true });
  const joined = new Uint8Array(resampled.data.length);
  for (const [i, id] of ["850", "851"].entries()) {
    const golden = await readNpz(expected(`total_mr_part_${id}.npz`));
    const part = join(folder, model.parts[i]!.folder);
    const network = (await readModel(part)) as NetworkModel;
    expect(network.mirrorAxes).toEqual([]);
    const volume = { ...resampled, spacing: [1.5, 1.5, 1.5] as const };
    if (golden.has("preprocessed")) {
      const { data } = await preprocess(network, [volume]);
      expect(greatestDifference(data, golden.get("preprocessed")!.data)).toBeLessThan(1e-5);
    }
    const labels = await predictVolumes(part, network, [volume], { step: model.step, threads: 2 });
    const reference = await readLabels(expected(`total_mr_part_${id}_seg_float32.nii.gz`));
    expect(wrong(labels, reference, golden.get("borderline_voxels_xyz")!.data)).toBe(0);
    joinPart(joined, reference.data, model.parts[i]!.ids);
  }
  const reference = await readLabels(expected("total_mr_joined_resampled_seg_float32.nii.gz"));
  expect(differing(joined, reference.data)).toBe(0);
});

test.skipIf(!root)("total_mr: the whole prediction on the image's grid", async () => {
  const [folder] = await converted("total_mr");
  let windows = 0;
  const labels = await predictCase(folder, [image], { threads: 2, progress: () => windows++ });
  // With step 0.8: 2·2·2 windows of the first part, and 3·2·3 of the second.
  expect(windows).toBe(26);
  const reference = await readLabels(expected("total_mr_seg_float32.nii.gz"));
  const count = differing(labels.data, reference.data) * labels.data.length;
  console.info(`total_mr: ${count} of ${labels.data.length} voxels differ`);
  expect(count).toBe(0);
  labels.affine.forEach((value, i) => expect(value).toBeCloseTo(reference.affine[i]!, 4));
});

test.skipIf(!root)("liver_segments_mr: rough run, box, and the whole prediction", async () => {
  const [folder, model] = await converted("liver_segments_mr");
  const volume = await readNifti(image, { float32: true });
  const rough = (await readModel(join(folder, "rough"))) as TotalSegmentatorModel;
  expect(rough).toMatchObject({ spacing: [3, 3, 3], step: 0.8 });
  const organs = await predictTotalSegmentator(join(folder, "rough"), rough, [volume], { threads: 2 });
  const mask = await readLabels(expected("liver_segments_mr_crop_mask.nii.gz"));
  const { values, margin } = model.crop!;
  expect(organs.data.map((value) => Number(values.includes(value)))).toEqual(Uint8Array.from(mask.data));
  const box = cropBox(organs, values, margin)!;
  const [x, y, z] = facts().liver_segments_mr.crop_box_xyz_half_open;
  expect([box.start, box.end]).toEqual([0, 1].map((end) => [z![end], y![end], x![end]]));
  const labels = await predictCase(folder, [image], { threads: 2 });
  const reference = await readLabels(expected("liver_segments_mr_seg_float32.nii.gz"));
  const count = differing(labels.data, reference.data) * labels.data.length;
  console.info(`liver_segments_mr: ${count} of ${labels.data.length} voxels differ`);
  expect(count).toBe(0);
});

test.skipIf(!root)("an image without the organs of the crop gets no labels", async () => {
  const [folder, model] = await converted("liver_segments_mr");
  const volume = await readNifti(image, { float32: true });
  const empty = { ...volume, data: new Float32Array(volume.data.length) };
  const none = { ...model, crop: { ...model.crop!, values: [250] } };
  const labels = await predictTotalSegmentator(folder, none, [empty], {});
  expect(labels.data.every((value) => value === 0)).toBe(true);
  expect(labels.size).toEqual(volume.size);
});

test.skipIf(!root)("parts are joined by name as in the package, for all four tasks with parts", async () => {
  const arrays = await readNpz(expected("joining.npz"));
  const parts = facts().class_maps.parts;
  const tasks = [...totalSegmentatorTasks].filter(([, { datasets }]) => datasets.length > 1);
  expect(tasks.map(([name]) => name).sort()).toEqual(["headneck_muscles", "total", "total_mr", "total_v3"]);
  for (const [name, task] of tasks) {
    const names = Object.entries(task.classes).sort(([, a], [, b]) => a - b);
    let first = 0;
    const joined = new Uint8Array(arrays.get(`${name}_joined`)!.data.length);
    for (const dataset of task.datasets) {
      const id = String(Number(dataset.slice(7, 10)));
      const data = inC(arrays.get(`${name}_part_${id}`)!);
      // Where the set has no list of a part's names, the parts' ids follow one another in the task's list.
      const own = parts[id];
      const count = own ? Object.keys(own).length : partSizes[id]!;
      const labels = own
        ? Object.fromEntries(Object.entries(own).map(([value, label]) => [label, Number(value)]))
        : Object.fromEntries(names.slice(first, first + count).map(([label], i) => [label, i + 1]));
      first += count;
      joinPart(joined, data, idsByName(labels, task, dataset));
    }
    expect(first).toBe(names.length);
    expect(differing(joined, inC(arrays.get(`${name}_joined`)!)), name).toBe(0);
  }
});

/** The elements of a three-dimensional array in C order. */
function inC({ data, shape, fortranOrder }: NpyArray): number[] {
  if (!fortranOrder) return [...data];
  const [a, b, c] = shape as [number, number, number];
  return Array.from({ length: data.length }, (_, i) => {
    const [x, y, z] = [Math.floor(i / (b * c)), Math.floor(i / c) % b, i % c];
    return data[x + a * (y + b * z)]!;
  });
}

/** Number of classes of the parts, from the package's lists. */
const partSizes: Record<string, number> = {
  291: 24, 292: 26, 293: 18, 294: 23, 295: 26, 831: 24, 832: 26, 833: 18, 834: 23, 835: 26, 778: 11, 779: 12,
}; // prettier-ignore

test("the table has all 52 tasks, and every crop names classes of its task", () => {
  const names = [...totalSegmentatorTasks.keys()].filter((name) => !/_fast(est)?$/.test(name));
  expect(names).toHaveLength(52);
  for (const [name, { crop, keepNear: near }] of totalSegmentatorTasks) {
    if (!crop) continue;
    const { classes } = totalSegmentatorTasks.get(crop.task)!;
    for (const label of [...crop.classes, ...(near?.classes ?? [])])
      expect(Object.keys(classes), `${name}: ${label}`).toContain(label);
  }
});

test("a task that is not known is refused by name", () => {
  expect(() => totalSegmentatorTask("liver")).toThrow(/has no task liver, only total, .*liver_segments_mr/);
});

test.skipIf(!root)("weights of several tasks: the task must be named; missing ones are listed", async () => {
  await expect(recogniseModel(`${root}/models`)).rejects.toThrow(
    /several tasks of TotalSegmentator; leave those of one, or set task: total_mr \| total_mr_fast \| liver_segments_mr/,
  );
  await expect(recogniseModel(`${root}/models`, { task: "total" })).rejects.toThrow(
    /needs Dataset291_.*, Dataset295_.*, which is not there/,
  );
  const some = (...ids: number[]) => {
    const folder = join(testFolder(), "models");
    mkdirSync(folder);
    for (const name of readdirSync(`${root}/models`))
      if (ids.includes(Number(name.slice(7, 10))))
        cpSync(`${root}/models/${name}`, join(folder, name), { recursive: true });
    return recogniseModel(folder);
  };
  expect(await some(850, 851)).toMatchObject({ weights: { task: "total_mr", crop: null } });
  expect(await some(852)).toMatchObject({ weights: { task: "total_mr_fast" } });
  expect(await some(576, 852)).toMatchObject({
    weights: { task: "liver_segments_mr", crop: { task: "total_mr_fast" } },
  });
  await expect(some(576)).rejects.toThrow(/total_mr_fast needs Dataset852_.* which is not there/);
});
