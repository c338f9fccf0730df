/** Finds the cases in a folder of images by nnU-Net's names: CASE_0000.nii.gz, CASE_0001.nii.gz, … are the channels of CASE. */

export interface ImageCase {
  readonly id: string;
  /** File names in the order of the channels. */
  readonly images: readonly string[];
}

/**
 * Cases sorted by name. Ignores other kinds of files and files in subfolders. Throws an Error that names an image with
 * another kind of name, or a missing channel.
 */
export function imageCases(names: readonly string[]): ImageCase[] {
  const cases = new Map<string, Map<number, string>>();
  for (const name of names) {
    if (isPassedOver(name)) continue;
    const [, id, digits] = /^(.+)_(\d{4})\.nii(?:\.gz)?$/i.exec(name) ?? [];
    if (id === undefined) throw new Error(`image ${name} is not named ${NAMING}`);
    const channels = cases.get(id) ?? new Map<number, string>();
    const other = channels.get(Number(digits));
    if (other !== undefined) throw new Error(`images ${name} and ${other} are the same channel of one case`);
    cases.set(id, channels.set(Number(digits), name));
  }
  if (cases.size === 0) throw new Error(`there is no image named ${NAMING}`);
  return [...cases]
    .map(([id, channels]) => ({ id, images: inOrder(id, channels) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Files that imageCases ignores: other kinds of files, files in subfolders, and hidden files. macOS writes hidden
 * companions of images, ._CASE_0000.nii.gz.
 */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || name.includes("/") || !/\.nii(\.gz)?$/i.test(name);
}

const NAMING = "CASE_0000.nii.gz (four digits for the channel)";

function inOrder(id: string, channels: ReadonlyMap<number, string>): string[] {
  return Array.from({ length: Math.max(...channels.keys()) + 1 }, (_, channel) => {
    const name = channels.get(channel);
    if (name !== undefined) return name;
    const missing = `${id}_${String(channel).padStart(4, "0")}.nii.gz`;
    throw new Error(
      `image ${missing} is missing: case ${id} has only ${[...channels.values()].sort().join(", ")}`,
    );
  });
}
