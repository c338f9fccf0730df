/** Writes synthetic cases in the folder layout of a real dataset. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeJson } from "../json.ts";
import { type LabelTable, valuesByName } from "../labels/labels.ts";
import { writeNifti } from "../volume/nifti.ts";
import type { Volume, VoxelArray } from "../volume/volume.ts";
import { createPhantom, phantomLabels } from "./phantom.ts";
import { phantomSpec, type PhantomLayout, type PhantomSpec } from "./spec.ts";

/**
 * Writes the cases of the layout's phantoms (its preset with `changes`) below `folder`, with masks and dataset.json
 * where the layout has them. The bytes are always the same, and a case's bytes do not depend on the other cases.
 * @throws Error if the layout has no phantoms, or `edits` names a case that does not exist
 */
export async function writePhantomDataset(
  layout: string,
  changes: Partial<PhantomSpec>,
  folder: string,
  onCase: (done: number) => void = () => undefined,
): Promise<void> {
  const spec = phantomSpec(layout, changes);
  const table = phantomLabels(layout as PhantomLayout);
  const place = places[layout as PhantomLayout];
  const cases = Array.from({ length: spec.cases }, (_, i) => place.files(i + 1));
  const unknown = Object.keys(spec.edits).filter((id) => !cases.some((entry) => entry.id === id));
  if (unknown.length > 0) {
    throw new Error(
      `no phantom of ${layout} is called ${unknown.join(", ")}; they are ${cases[0]?.id ?? "none"}, …`,
    );
  }

  for (const [index, { id, image, label, masks }] of cases.entries()) {
    const phantom = createPhantom(layout, spec, table, id, index + 1);
    await save(join(folder, image), phantom.image);
    await save(join(folder, label), { ...phantom.labels, data: place.store(phantom.labels.data) });
    if (masks !== undefined) await saveMasks(join(folder, masks), phantom.labels, table);
    onCase(index + 1);
  }
  const json = place.json?.(table, cases);
  if (json !== undefined) writeJson(join(folder, "dataset.json"), json);
}

interface CaseFiles {
  readonly id: string;
  readonly image: string;
  readonly label: string;
  /** Folder with one binary mask per organ. */
  readonly masks?: string;
}

interface Place {
  files(ordinal: number): CaseFiles;
  /** The labels in the voxel type of the dataset's files. */
  store(labels: Uint8Array): VoxelArray;
  /** The content of dataset.json, if the dataset has one. */
  json?(table: LabelTable, cases: readonly CaseFiles[]): unknown;
}

const bytes = (labels: Uint8Array): VoxelArray => labels;
const words = (labels: Uint8Array): VoxelArray => Uint16Array.from(labels);
const floats = (labels: Uint8Array): VoxelArray => Float32Array.from(labels);
const digits = (value: number, count: number): string => String(value).padStart(count, "0");

const places: Record<PhantomLayout, Place> = {
  btcv: {
    files(ordinal) {
      // The published numbers are 0001-0010 and 0021-0040.
      const id = digits(ordinal <= 10 ? ordinal : ordinal + 10, 4);
      const folder = "RawData/Training";
      return { id, image: `${folder}/img/img${id}.nii.gz`, label: `${folder}/label/label${id}.nii.gz` };
    },
    store: bytes,
  },
  word: {
    files: (ordinal) => pair(`word_${digits(ordinal, 4)}`),
    store: words,
  },
  amos: {
    files: (ordinal) => pair(`amos_${digits(ordinal, 4)}`),
    store: words,
    json: (table, cases) => ({
      name: "AMOS (synthetic phantoms)",
      modality: { 0: "CT" },
      // "arota" is the published spelling.
      labels: { 0: "background", ...names(table), 8: "arota" },
      numTraining: cases.length,
      training: cases.map(({ image, label }) => ({ image: `./${image}`, label: `./${label}` })),
      validation: [],
      test: [],
    }),
  },
  ct1k: {
    files(ordinal) {
      const id = `Case_${digits(ordinal, 5)}`;
      const part = `AbdomenCT-1K-ImagePart${1 + ((ordinal - 1) % 3)}`;
      return { id, image: `${part}/${id}_0000.nii.gz`, label: `Mask/${id}.nii.gz` };
    },
    store: bytes,
  },
  abdomenatlas: {
    files(ordinal) {
      const id = `BDMAP_${digits(ordinal, 8)}`;
      return {
        id,
        image: `${id}/ct.nii.gz`,
        label: `${id}/combined_labels.nii.gz`,
        masks: `${id}/segmentations`,
      };
    },
    store: bytes,
  },
  segthor: {
    files(ordinal) {
      const id = `Patient_${digits(ordinal, 2)}`;
      return { id, image: `train/${id}/${id}.nii.gz`, label: `train/${id}/GT.nii.gz` };
    },
    store: bytes,
  },
  flare22: {
    files(ordinal) {
      const id = `FLARE22_Tr_${digits(ordinal, 4)}`;
      const folder = "Training/FLARE22_LabeledCase50";
      return { id, image: `${folder}/images/${id}_0000.nii.gz`, label: `${folder}/labels/${id}.nii.gz` };
    },
    store: floats,
  },
  flare21: {
    files: (ordinal) => pair(`train_${digits(ordinal - 1, 3)}`, "_0000"),
    store: bytes,
  },
  "nnunet-raw": {
    files: (ordinal) => pair(`s${digits(ordinal, 4)}`, "_0000"),
    store: bytes,
    json: (table, cases) => ({
      channel_names: { 0: "CT" },
      labels: {
        background: 0,
        ...valuesByName(table),
      },
      numTraining: cases.length,
      file_ending: ".nii.gz",
      description: "Synthetic phantoms in TotalSegmentator's label scheme (v2 ids, those that occur).",
    }),
  },
};

function pair(id: string, suffix = ""): CaseFiles {
  return { id, image: `imagesTr/${id}${suffix}.nii.gz`, label: `labelsTr/${id}.nii.gz` };
}

function names(table: LabelTable): Record<string, string> {
  return Object.fromEntries([...table].map(([value, { name }]) => [String(value), name]));
}

async function saveMasks(folder: string, labels: Volume<Uint8Array>, table: LabelTable): Promise<void> {
  for (const [value, { name }] of table) {
    const data = labels.data.map((label) => (label === value ? 1 : 0));
    await save(join(folder, `${name}.nii.gz`), { ...labels, data });
  }
}

async function save(path: string, volume: Volume): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeNifti(path, volume);
}
