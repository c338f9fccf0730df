/** What there is to know, and to complain of, in one case's files. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Random } from "../random.ts";
import { columns, cosine } from "../volume/affine.ts";
import { readNifti } from "../volume/nifti.ts";
import { orientationOf } from "../volume/orient.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import type { CaseEntry } from "./case-list.ts";
import { readCaseLabel } from "./read-label.ts";

export interface CaseCheck {
  readonly id: string;
  /** Voxels and millimetres along patient left-right, back-front, foot-head, whatever the stored order. */
  readonly size: readonly [number, number, number];
  readonly spacing: readonly [number, number, number];
  /** Label value → voxels; background left out. */
  readonly voxels: Readonly<Record<number, number>>;
  /** Equal for the same image in any orientation, header or compression. */
  readonly content: string;
  /** Hounsfield units at random labelled voxels. */
  readonly sample: Float32Array;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads a case and compares image with label. `draws` intensities are sampled, with replacement, so that every
 * case weighs the same (as nnU-Net's fingerprint does). Throws if a file cannot be read.
 */
export async function checkCase(
  layout: string,
  root: string,
  entry: CaseEntry,
  names: ReadonlyMap<number, string>,
  draws: number,
  random: Random,
): Promise<CaseCheck> {
  const image = await readNifti(join(root, entry.image));
  const label = await readCaseLabel(layout, join(root, entry.label));
  const sameShape = image.size.join() === label.size.join();
  const voxels = countVoxels(label);
  const strangers = Object.keys(voxels).filter((value) => !names.has(Number(value)));
  const errors = [
    ...(sameShape ? [] : [`image has ${image.size.join("×")} voxels, label ${label.size.join("×")}`]),
    ...(strangers.length === 0 ? [] : [`label values without a name: ${strangers.join(", ")}`]),
  ];
  const shift = Math.max(...image.affine.map((value, i) => Math.abs(value - label.affine[i]!)));
  const warnings = [
    ...(shift <= 1e-3
      ? []
      : [`image and label lie apart in space: affines differ by ${shift.toPrecision(3)}`]),
    ...(isOrthogonal(image.affine) ? [] : ["the image's axes are not at right angles"]),
    ...(image.spacing.every((mm) => mm === 1) ? ["spacing of 1×1×1 mm is probably made up"] : []),
    ...(Object.keys(voxels).length > 0 ? [] : ["no voxel is labelled"]),
  ];
  return {
    id: entry.id,
    ...patientGrid(image),
    voxels,
    content: contentDigest(image),
    sample: sameShape ? sampleForeground(image, label, draws, random) : new Float32Array(),
    errors,
    warnings,
  };
}

function countVoxels(label: LabelVolume): Record<number, number> {
  const counts = new Float64Array(65536);
  for (const value of label.data) counts[value]!++;
  const voxels: Record<number, number> = {};
  counts.forEach((count, value) => {
    if (value > 0 && count > 0) voxels[value] = count;
  });
  return voxels;
}

/**
 * A digest of how often each Hounsfield unit occurs. Unlike one of the bytes it stays the same when a dataset
 * re-publishes another's image flipped, re-ordered, re-compressed or padded with another value below air.
 */
function contentDigest(image: Volume): string {
  const histogram = new Uint32Array(4096);
  for (const hu of image.data) histogram[Math.max(-1024, Math.min(3071, Math.round(hu))) + 1024]!++;
  return createHash("sha256").update(histogram).digest("hex").slice(0, 32);
}

function sampleForeground(image: Volume, label: LabelVolume, draws: number, random: Random): Float32Array {
  const places = new Uint32Array(label.data.length);
  let count = 0;
  for (let i = 0; i < label.data.length; i++) if (label.data[i]! > 0) places[count++] = i;
  if (count === 0) return new Float32Array();
  return Float32Array.from({ length: draws }, () => image.data[places[random.int(count)]!]!);
}

/** Size and spacing by the patient axis that each stored axis is closest to. */
function patientGrid(image: Volume): Pick<CaseCheck, "size" | "spacing"> {
  const { axes } = orientationOf(image.affine);
  const size: [number, number, number] = [0, 0, 0];
  const spacing: [number, number, number] = [0, 0, 0];
  axes.forEach((patient, stored) => {
    size[patient] = image.size[stored]!;
    spacing[patient] = image.spacing[stored]!;
  });
  return { size, spacing };
}

function isOrthogonal(affine: readonly number[]): boolean {
  const [x, y, z] = columns(affine);
  return [cosine(x, y), cosine(x, z), cosine(y, z)].every((c) => Math.abs(c) < 1e-3);
}
