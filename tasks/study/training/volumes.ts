/** Opens prepared volumes as training cases: in memory if all of them are small together, otherwise read box by box. */
import { statSync } from "node:fs";
import { openNifti, readHeader, readLabels, readNifti } from "../volume/nifti.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import { sizeOf } from "../volume/nifti-file.ts";
import type { VoxelArray } from "../volume/volume.ts";
import { type Box, locate, memoryCase, type TrainingCase } from "./cases.ts";

/** Uncompressed files of one case on one grid. */
export interface CaseFiles {
  readonly id: string;
  readonly image: string;
  readonly labels: string;
}

/** Greatest total size, in bytes, of files that are kept in memory. */
const ENOUGH = 2 * 2 ** 30;

/**
 * `channels` gives the output channel of each label value. A box has the same values from memory and from disk. The
 * voxels of image and labels may lie `tolerance` of a voxel apart.
 * Throws an Error that names the file or the case and says what is wrong with it.
 */
export async function openCases(
  files: readonly CaseFiles[],
  channels: Uint8Array,
  { tolerance = 0.01, enough = ENOUGH }: { readonly tolerance?: number; readonly enough?: number } = {},
): Promise<TrainingCase[]> {
  const bytes = files.reduce(
    (sum, { image, labels }) => sum + statSync(image).size + statSync(labels).size,
    0,
  );
  const open = bytes <= enough ? loaded : onDisk;
  const cases: TrainingCase[] = [];
  for (const file of files) {
    await checkGrids(file, tolerance);
    cases.push(await open(file, channels)); // one at a time: each needs room for a volume
  }
  return cases;
}

/** Labels that are mirrored or shifted against their image would teach the network wrong places. */
async function checkGrids({ image, labels }: CaseFiles, tolerance: number): Promise<void> {
  const [a, b] = await Promise.all(
    [image, labels].map(async (path) => ({ name: path, header: await readHeader(path) })),
  );
  const grid = ({ name, header }: NonNullable<typeof a>) => ({
    name,
    size: sizeOf(header),
    affine: header.affine,
  });
  requireSameGrid(grid(a!), grid(b!), tolerance);
}

async function loaded({ id, image, labels }: CaseFiles, channels: Uint8Array): Promise<TrainingCase> {
  const volume = await readLabels(labels);
  return memoryCase(id, await readNifti(image), { ...volume, data: inChannels(volume.data, channels) });
}

/** Reads all labels once, to find their voxels. Files are opened for each box, because there may be thousands. */
async function onDisk({ id, image, labels }: CaseFiles, channels: Uint8Array): Promise<TrainingCase> {
  const { data, size } = await readLabels(labels);
  return {
    id,
    size,
    image: async (box) => Float32Array.from(await readBox(image, box)),
    labels: async (box) => inChannels(await readBox(labels, box), channels),
    locations: locate(inChannels(data, channels), id),
  };
}

async function readBox(path: string, box: Box): Promise<VoxelArray> {
  const file = await openNifti(path);
  try {
    return await file.read(box);
  } finally {
    await file.close();
  }
}

const inChannels = (labels: VoxelArray, channels: Uint8Array) =>
  Uint8Array.from(labels, (value) => channels[value] ?? 0);

/** Whether all images have this spacing (x, y, z in millimetres), up to the rounding of sizes to whole voxels. */
export async function haveSpacing(files: readonly CaseFiles[], wanted: readonly number[]): Promise<boolean> {
  for (const { image } of files) {
    const header = await readHeader(image);
    const size = sizeOf(header);
    if (header.spacing.some((mm, axis) => Math.abs(mm / wanted[axis]! - 1) > 0.5 / size[axis]! + 1e-4))
      return false;
  }
  return true;
}
