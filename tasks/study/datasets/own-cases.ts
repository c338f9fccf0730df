/** Finds the cases of own data in nnU-Net's raw format: imagesTr and labelsTr, with volumes of any format. */
import { pairVolumes, passedOverText, type Place, Places, type Conversion } from "./case-files.ts";
import { volumesIn, type VolumeFiles } from "./volume-files.ts";

/** The files of a dataset's cases. */
export interface DatasetFiles {
  /** Case id → where it is, relative to the dataset's folder. */
  readonly images: ReadonlyMap<string, Place>;
  readonly labels: ReadonlyMap<string, Place>;
  readonly conversions: readonly Conversion[];
  /** Lines about files that are no part of a case. */
  readonly warnings: readonly string[];
}

/**
 * @param paths all files below the folder, relative to it
 * @param folder its name in warnings, ends in "/"
 * @throws Error if two files belong to one case
 */
export function ownFiles(paths: readonly string[], folder: string): DatasetFiles {
  const places = new Places();
  const images = new Map<string, Place>();
  const labels = new Map<string, Place>();
  const warnings: string[] = [];
  for (const top of topsOf(paths)) {
    const [imagesTr, labelsTr] = [`${top}imagesTr/`, `${top}labelsTr/`];
    const found = { images: volumesIn(below(paths, imagesTr)), labels: volumesIn(below(paths, labelsTr)) };
    const paired = pairVolumes(found.images, found.labels);
    for (const { id, image } of paired.pairs) put(images, id, places.of(image, imagesTr));
    for (const label of [...paired.pairs.map((pair) => pair.label), ...paired.labels])
      put(labels, label.name, places.of(label, labelsTr));
    const channels = paired.channels.map(({ files }) => files[0]!);
    warnings.push(
      ...withoutLabels(folder + imagesTr, paired.images),
      ...passedOverText(folder + imagesTr, [...channels, ...found.images.passedOver]),
      ...passedOverText(folder + labelsTr, found.labels.passedOver),
    );
  }
  return { images, labels, conversions: places.conversions, warnings };
}

/** Folders in which there is a folder labelsTr; "" is the data's own. */
function topsOf(paths: readonly string[]): ReadonlySet<string> {
  return new Set(
    paths.flatMap((path) => /^(.*\/)?labelsTr\//.exec(path)?.map((part) => part ?? "")[1] ?? []),
  );
}

function below(paths: readonly string[], folder: string): string[] {
  return paths.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length));
}

/** Ids become parts of paths and of commands. */
function put(cases: Map<string, Place>, name: string, place: Place): void {
  const id = name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
  const other = cases.get(id)?.path;
  if (other !== undefined)
    throw new Error(`two files for case "${id}": ${other} and ${place.path}; remove one`);
  cases.set(id, place);
}

function withoutLabels(folder: string, images: readonly VolumeFiles[]): string[] {
  if (images.length === 0) return [];
  const files = images.length === 1 ? "1 image" : `${images.length} images`;
  return [`warning: ${folder}: left out ${files} without labels, such as ${images[0]!.files[0]}`];
}
