/** Finds the cases in a folder of images by nnU-Net's names: CASE_0000.nii.gz, CASE_0001.nii.gz, … are the channels of CASE. */
import { FORMATS, type VolumeFiles } from "../datasets/volume-files.ts";

export interface ImageCase {
  readonly id: string;
  /** In the order of the channels. */
  readonly images: readonly VolumeFiles[];
}

/**
 * Cases sorted by name. The folder of a DICOM series may also be named CASE. Throws an Error that names an image with
 * another kind of name, or a missing channel.
 */
export function imageCases(volumes: readonly VolumeFiles[]): ImageCase[] {
  const cases = new Map<string, Map<number, VolumeFiles>>();
  for (const volume of volumes) {
    const [file] = volume.files;
    const found = /^(.+)_(\d{4})$/.exec(volume.name);
    if (found === null && volume.format !== "dicom") throw new Error(`image ${file} is not named ${NAMING}`);
    const [, id = volume.name, digits = "0000"] = found ?? [];
    const channels = cases.get(id) ?? new Map<number, VolumeFiles>();
    const other = channels.get(Number(digits))?.files[0];
    if (other !== undefined) throw new Error(`images ${file} and ${other} are the same channel of one case`);
    cases.set(id, channels.set(Number(digits), volume));
  }
  if (cases.size === 0) throw new Error(`there is no image named ${NAMING}; formats: ${FORMATS}`);
  return [...cases]
    .map(([id, channels]) => ({ id, images: inOrder(id, channels) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

const NAMING = "CASE_0000.nii.gz (four digits for the channel)";

function inOrder(id: string, channels: ReadonlyMap<number, VolumeFiles>): VolumeFiles[] {
  return Array.from({ length: Math.max(...channels.keys()) + 1 }, (_, channel) => {
    const volume = channels.get(channel);
    if (volume !== undefined) return volume;
    const missing = `${id}_${String(channel).padStart(4, "0")}`;
    const there = [...channels.values()].map(({ files }) => files[0]).sort();
    throw new Error(`image ${missing} is missing: case ${id} has only ${there.join(", ")}`);
  });
}
