/**
 * Where the volumes of cases are. Tasks read NIfTI; a volume of another format is converted first:
 *
 *     { "cases": [{ "id": "a", "image": "images/a.nii.gz" }, { "id": "b", "image": "volumes/images/b.nii.gz" }],
 *       "conversions": [{ "id": "images/b", "files": ["images/b.mhd", "images/b.raw"] }] }
 */
import { FORMATS, type FoundVolumes, type VolumeFiles } from "./volume-files.ts";

/** A volume that a rule converts to NIfTI. */
export interface Conversion {
  /** Its path without the ending. */
  readonly id: string;
  /** Paths: a header and its voxels, or the folder of a DICOM series, which ends in "/". */
  readonly files: readonly string[];
}

/** Where a volume is as NIfTI: as it is stored, or below the folder for converted volumes. */
export interface Place {
  readonly path: string;
  readonly isConverted: boolean;
}

/** Finds the places of volumes, and collects the conversions that they need. */
export class Places {
  readonly conversions: Conversion[] = [];

  /** @param folder of the volume, with a "/" at its end; "" for the current one */
  of({ name, files, format }: VolumeFiles, folder: string): Place {
    const isConverted = format !== "nifti";
    if (!isConverted) return { path: folder + files[0]!, isConverted };
    const id = folder + name;
    this.conversions.push({ id, files: files.map((file) => folder + file) });
    return { path: `${id}.nii.gz`, isConverted };
  }
}

/** A line about files that are passed over; none if there are none. */
export function passedOverText(folder: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const files = names.length === 1 ? "1 file" : `${names.length} files`;
  return [`warning: ${folder}: passed over ${files}, such as ${names[0]}; expected are ${FORMATS}`];
}

/**
 * Images and labels of cases by their names. An image has the name of its labels, with or without nnU-Net's number of
 * the first channel: a_0000.nii.gz and a.nrrd are images of the labels a.nii.gz.
 */
export interface Paired {
  readonly pairs: readonly {
    readonly id: string;
    readonly image: VolumeFiles;
    readonly label: VolumeFiles;
  }[];
  /** Images without labels. Further channels of a case are not among them. */
  readonly images: readonly VolumeFiles[];
  readonly labels: readonly VolumeFiles[];
  /** Images of further channels, a_0001.nii.gz. */
  readonly channels: readonly VolumeFiles[];
}

/** @throws Error if two files are the image, or the labels, of one case */
export function pairVolumes(images: FoundVolumes, labels: FoundVolumes): Paired {
  const byName = unique(labels.volumes.map((label) => [label.name, label]));
  const ids = images.volumes.map((image) => ({ image, id: caseOfImage(image.name, (id) => byName.has(id)) }));
  const firsts = ids.filter(({ image, id }) => id === image.name || image.name === `${id}_0000`);
  const imageOf = unique(firsts.map(({ image, id }) => [id, image]));
  return {
    pairs: [...byName].flatMap(([id, label]) => {
      const image = imageOf.get(id);
      return image ? [{ id, image, label }] : [];
    }),
    images: [...imageOf].flatMap(([id, image]) => (byName.has(id) ? [] : [image])),
    labels: [...byName].flatMap(([id, label]) => (imageOf.has(id) ? [] : [label])),
    channels: ids.filter((each) => !firsts.includes(each)).map(({ image }) => image),
  };
}

/** A name that is itself a case's is no channel: word_0001 may be the image of the labels word_0001. */
function caseOfImage(name: string, isCase: (id: string) => boolean): string {
  const [, id, channel] = /^(.+)_(\d{4})$/.exec(name) ?? [];
  return id === undefined || isCase(name) || !(channel === "0000" || isCase(id)) ? name : id;
}

function unique(entries: readonly (readonly [string, VolumeFiles])[]): Map<string, VolumeFiles> {
  const found = new Map<string, VolumeFiles>();
  for (const [id, volume] of entries) {
    const other = found.get(id);
    if (other)
      throw new Error(`two volumes for case "${id}": ${other.files[0]} and ${volume.files[0]}; remove one`);
    found.set(id, volume);
  }
  return found;
}
