/**
 * Reads volumes for tasks, with the checks that every task needs: finite voxels, axes at right angles, and a spacing
 * that agrees with the affine. Every task that reads a user's volume reads it here, so that all behave the same.
 */
import { z } from "zod";
import { columns, length } from "./affine.ts";
import { requireRightAngles } from "./geometry.ts";
import { labelsOf, readNifti, type ReadOptions } from "./nifti.ts";
import type { LabelVolume, Volume, VoxelArray } from "./volume.ts";

export const reading = z
  .strictObject({
    /** Voxels that are NaN or infinite: refuse the image, or replace them by a number or the image's least value. */
    nonfinite: z
      .union([z.enum(["refuse", "min"]), z.number()], { error: 'expected "refuse", "min" or a number' })
      .default("refuse"),
    /**
     * The spacing where the header's (pixdim) contradicts the affine. `header` is what nnU-Net's own readers take, but
     * then the result depends on the order in which the axes are stored.
     */
    spacing: z.enum(["affine", "header"]).default("affine"),
    /** Volumes whose axes are not at right angles. */
    shear: z.enum(["refuse", "accept"]).default("refuse"),
    /** Voxels of two volumes on "the same grid" may lie this far apart, as a share of a voxel's edge. */
    grid_tolerance: z.number().nonnegative().default(0.01),
  })
  .prefault({});

export type Reading = z.infer<typeof reading>;

export const DEFAULT_READING: Reading = reading.parse({});

/** Gets one line for each fact that a user should know. */
export type Warn = (warning: string) => void;

/** A task's log as a place for warnings. */
export function warnings(log: (line: string) => void): Warn {
  return (warning) => log(`warning: ${warning}`);
}

/**
 * Reads an image (see readNifti) and checks its voxels and its geometry.
 * @throws Error that names the file, and for a voxel its place and value
 */
export async function readImage(
  path: string,
  settings: Reading,
  warn: Warn,
  options: ReadOptions = {},
): Promise<Volume> {
  const volume = placed(path, await readNifti(path, options), settings, warn);
  return { ...volume, data: finite(path, volume, settings.nonfinite, warn) };
}

/**
 * Reads a label map and checks its geometry.
 * @throws Error that names the file; also for a voxel that is not a whole number from 0 to 65535
 */
export async function readLabelMap(path: string, settings: Reading, warn: Warn): Promise<LabelVolume> {
  return placed(path, labelsOf(path, await readNifti(path)), settings, warn);
}

/** The volume, with its spacing by the affine. A spacing that agrees with the affine stays exactly as it is. */
function placed<V extends Volume>(path: string, volume: V, { spacing, shear }: Reading, warn: Warn): V {
  try {
    requireRightAngles({ ...volume, name: path });
  } catch (error) {
    const { message } = error as Error;
    if (shear === "refuse")
      throw new Error(`${message}; shear: accept takes it as if they were`, { cause: error });
    warn(message);
  }
  const steps = columns(volume.affine).map(length) as [number, number, number];
  if (steps.every((step, axis) => Math.abs(step - volume.spacing[axis]!) <= AGREEMENT * step)) return volume;
  const [header, affine] = [volume.spacing, steps].map((mm) =>
    mm.map((v) => Number(v.toPrecision(6))).join("×"),
  );
  warn(
    `${path}: its header states a spacing of ${header} mm, but its affine has ${affine} mm; lq takes the ${spacing}'s`,
  );
  return spacing === "header" ? volume : { ...volume, spacing: steps };
}

/** Relative difference of spacings that rounding in the field's tools explains. */
const AGREEMENT = 1e-4;

function finite(path: string, volume: Volume, nonfinite: Reading["nonfinite"], warn: Warn): VoxelArray {
  const { data, size } = volume;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return data;
  let [first, count, least] = [-1, 0, Infinity];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isFinite(value)) {
      if (value < least) least = value;
    } else if (count++ === 0) first = i;
  }
  if (count === 0) return data;
  const place = [
    first % size[0],
    Math.floor(first / size[0]) % size[1],
    Math.floor(first / (size[0] * size[1])),
  ];
  const fact = `${path}: ${count} of ${data.length} voxels are not finite; the first, (${place.join(", ")}), is ${data[first]}`;
  if (nonfinite === "refuse" || count === data.length)
    throw new Error(`${fact}. Mend the image, or set \`nonfinite\` to min or to a number that replaces them`);
  const value = nonfinite === "min" ? least : nonfinite;
  warn(`${fact}; replaced by ${value}`);
  return data.map((each) => (Number.isFinite(each) ? each : value));
}
