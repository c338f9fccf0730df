/** The check of one case's files: facts, errors and warnings, stored in checks/DATASET/CASE.json. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { readJson } from "../json.ts";
import { createRandom } from "../random.ts";
import { requireSameGrid } from "../volume/geometry.ts";
import { orientationOf } from "../volume/orient.ts";
import { readImage, type Reading } from "../volume/reading.ts";
import type { LabelVolume, Volume } from "../volume/volume.ts";
import { readCaseLabel } from "./read-label.ts";

const triple = z.tuple([z.number(), z.number(), z.number()]);

const facts = z.object({
  /** Voxels, and millimetres per voxel, along the patient's left-right, back-front and foot-head axes. */
  size: triple,
  spacing: triple,
  /** Label value → number of voxels, without background. */
  voxels: z.record(z.string(), z.int()),
  /** Digest of the intensities. It stays the same when the image is flipped, re-compressed or gets another header. */
  content: z.string(),
  /** Rounded Hounsfield units at random labelled voxels. */
  sample: z.array(z.int()),
});

const check = z.object({
  /** Null if a file cannot be read. */
  facts: facts.nullable(),
  errors: z.array(z.string()),
  warnings: z.array(z.string()),
});

export type CaseFacts = z.infer<typeof facts>;
export type CaseCheck = z.infer<typeof check>;

/**
 * Number of intensities that are drawn from a case, with replacement. It is the same for every case, so that all cases
 * weigh the same, as in nnU-Net's fingerprint.
 */
const DRAWS = 2000;

/** Placeholders for the paths of the case's files in errors. */
export const IMAGE = "<image>";
export const LABEL = "<label>";

/** Reads a case and compares its image with its labels. Never throws for a bad file: the result holds the error. */
export async function checkCase(
  layout: string,
  imagePath: string,
  labelPath: string,
  { reading, ignore }: { readonly reading: Reading; readonly ignore: number | null },
): Promise<CaseCheck> {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  // Replace the paths, so that equal files give equal checks in any folder. The manifest puts the paths back.
  const pathless = (text: string) => text.replaceAll(imagePath, IMAGE).replaceAll(labelPath, LABEL);
  try {
    const image = await readImage(imagePath, reading, warn);
    const label = await readCaseLabel(layout, labelPath, reading, warn);
    const check = compare(image, label, reading, ignore);
    return { ...check, warnings: [...warnings.map(pathless), ...check.warnings] };
  } catch (error) {
    return { facts: null, errors: [pathless((error as Error).message)], warnings: warnings.map(pathless) };
  }
}

/**
 * Reads the checks of a dataset's cases: case id → check.
 * @throws Error that names the file that does not fit
 */
export function readChecks(
  files: readonly { readonly name: string; readonly path: string }[],
): ReadonlyMap<string, CaseCheck> {
  return new Map(files.map(({ name, path }) => [name.replace(/\.json$/, ""), readJson(path, check, name)]));
}

function compare(image: Volume, label: LabelVolume, reading: Reading, ignore: number | null): CaseCheck {
  const apart = gridError(image, label, reading);
  const voxels = countVoxels(label);
  const content = contentDigest(image);
  return {
    facts: {
      ...patientGrid(image),
      voxels,
      content,
      sample: apart === null ? sampleForeground(image, label, content, ignore) : [],
    },
    errors: apart === null ? [] : [apart],
    warnings: [
      ...(image.spacing.every((mm) => mm === 1) ? ["spacing of 1×1×1 mm is probably made up"] : []),
      ...(Object.keys(voxels).some((value) => Number(value) !== ignore) ? [] : ["no voxel is labelled"]),
    ],
  };
}

function gridError(image: Volume, label: LabelVolume, { grid_tolerance }: Reading): string | null {
  try {
    requireSameGrid({ ...image, name: IMAGE }, { ...label, name: LABEL }, grid_tolerance);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

function countVoxels(label: LabelVolume): CaseFacts["voxels"] {
  const counts = new Float64Array(65536);
  for (const value of label.data) counts[value]!++;
  const voxels: CaseFacts["voxels"] = {};
  counts.forEach((count, value) => {
    if (value > 0 && count > 0) voxels[value] = count;
  });
  return voxels;
}

/**
 * A digest of the histogram of Hounsfield units. Unlike a digest of the bytes it finds an image again that another
 * dataset publishes flipped, re-ordered, re-compressed or padded with another value below air.
 */
function contentDigest(image: Volume): string {
  const histogram = new Uint32Array(4096);
  for (const hu of image.data) histogram[Math.max(-1024, Math.min(3071, Math.round(hu))) + 1024]!++;
  return createHash("sha256").update(histogram).digest("hex").slice(0, 32);
}

function sampleForeground(image: Volume, label: LabelVolume, seed: string, ignore: number | null): number[] {
  const places = new Uint32Array(label.data.length);
  let count = 0;
  for (let i = 0; i < label.data.length; i++)
    if (label.data[i]! > 0 && label.data[i] !== ignore) places[count++] = i;
  if (count === 0) return [];
  const random = createRandom(seed);
  return Array.from({ length: DRAWS }, () => Math.round(image.data[places[random.int(count)]!]!));
}

/** Size and spacing in patient order: each stored axis counts for the patient axis it is closest to. */
function patientGrid(image: Volume): Pick<CaseFacts, "size" | "spacing"> {
  const { axes } = orientationOf(image.affine);
  const size: [number, number, number] = [0, 0, 0];
  const spacing: [number, number, number] = [0, 0, 0];
  axes.forEach((patient, stored) => {
    size[patient] = image.size[stored]!;
    spacing[patient] = image.spacing[stored]!;
  });
  return { size, spacing };
}
