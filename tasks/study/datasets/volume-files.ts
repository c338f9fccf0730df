/**
 * Finds volumes among the names of a folder's files.
 *
 *     a.nii.gz                one file
 *     b.mhd, b.raw            a header and its voxels
 *     c/IM0001, c/IM0002, …   a DICOM series
 */

export interface VolumeFiles {
  /** Without the ending: "a". */
  readonly name: string;
  /** The header or the only file first. A DICOM series is its folder, "c/". */
  readonly files: readonly string[];
  readonly format: "nifti" | "other" | "dicom";
}

export interface FoundVolumes {
  /** Sorted by name. */
  readonly volumes: readonly VolumeFiles[];
  /** The files that are no part of a volume. Hidden files are not among them. */
  readonly passedOver: readonly string[];
}

/** What the endings of volumes are, for messages. */
export const FORMATS = ".nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd or a folder with a DICOM series";

const NIFTI = /\.nii(\.gz)?$/i;
const OTHER = /\.(nrrd|nhdr|mha|mhd)$/i;
/** Files with voxels whose header is another file. */
const VOXELS = /\.(raw|zraw|raw\.gz|img|img\.gz|bin|dat|gz)$/i;

/** @param names relative to the folder, "/" between parts */
export function volumesIn(names: readonly string[]): FoundVolumes {
  const visible = names.filter((name) => !/(^|\/)\./.test(name)); // macOS writes hidden companions, ._a.nii.gz
  const files = visible.filter((name) => !name.includes("/"));
  const single = files.filter((name) => NIFTI.test(name) || OTHER.test(name));
  const headers = single.filter((name) => OTHER.test(name));
  const owners = new Map(
    files.map((name) => [name, VOXELS.test(name) ? headerOf(name, headers) : undefined]),
  );
  const volumes = single.map((name): VolumeFiles => {
    const voxels = files.filter((file) => owners.get(file) === name);
    const format = NIFTI.test(name) ? "nifti" : "other";
    return { name: name.replace(NIFTI, "").replace(OTHER, ""), files: [name, ...voxels], format };
  });
  const folders = seriesIn(visible);
  const taken = new Set(volumes.flatMap((volume) => volume.files));
  return {
    volumes: [
      ...volumes,
      ...folders.map((name): VolumeFiles => ({ name, files: [`${name}/`], format: "dicom" })),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
    passedOver: visible.filter((name) => !taken.has(name) && !folders.includes(name.split("/")[0]!)),
  };
}

/** The header with the same name, the longest where several fit. */
function headerOf(file: string, headers: readonly string[]): string | undefined {
  return headers
    .filter((header) => file.startsWith(`${header.replace(OTHER, "")}.`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Folders without any volume of another format. */
function seriesIn(names: readonly string[]): string[] {
  const below = names.filter((name) => name.includes("/"));
  const folders = new Set(below.map((name) => name.split("/")[0]!));
  for (const name of below) if (NIFTI.test(name) || OTHER.test(name)) folders.delete(name.split("/")[0]!);
  return [...folders];
}
