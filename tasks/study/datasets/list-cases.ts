/** Finds a dataset's cases from its file names and its layout. */
import type { Conversion, Place } from "./case-files.ts";
import type { CaseEntry } from "./case-list.ts";
import { layoutOf, type Layout } from "./layouts.ts";
import { ownFiles, type DatasetFiles } from "./own-cases.ts";

export interface FoundCases {
  /** Sorted by id. */
  readonly cases: readonly CaseEntry[];
  readonly conversions: readonly Conversion[];
  /** Lines about files that are no part of a case; for own data only, because published datasets have many. */
  readonly warnings: readonly string[];
}

/**
 * The labelled cases among the files under a dataset's folder. Images without a label are left out: most datasets have
 * some.
 * @param root the folder
 * @param paths all files under it, relative to it, "/" between parts
 * @throws Error if there are no labels (says which files to put where), if a label has no image, or if two files
 *   belong to one case
 */
export function listCases(layout: string, root: string, paths: readonly string[]): FoundCases {
  const rules = layoutOf(layout);
  const visible = paths.filter((path) => !isHidden(path));
  const { images, labels, conversions, warnings } = rules.patterns
    ? publishedFiles(visible, rules, rules.patterns)
    : ownFiles(visible, `${root.replace(/\/$/, "")}/`);
  if (labels.size === 0) throw new Error(nothingThere(layout, root, rules, paths.length));
  const orphans = [...labels].filter(([id]) => !images.has(id)).map(([, label]) => label.path);
  if (orphans.length > 0) {
    throw new Error(
      `${root}: ${several(orphans.length, "label")} without an image: ${some(orphans)}\n` +
        `The layout "${layout}" expects ${rules.files.join(" and ")}.`,
    );
  }
  const cases = [...labels]
    .map(([id, label]) => entryOf(id, images.get(id)!, label))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { cases, conversions, warnings };
}

function entryOf(id: string, image: Place, label: Place): CaseEntry {
  const stored = ({ path, isConverted }: Place) => (isConverted ? [] : [path]);
  const converted = ({ path, isConverted }: Place) => (isConverted ? [path] : []);
  return {
    id,
    image: stored(image),
    label: stored(label),
    converted_image: converted(image),
    converted_label: converted(label),
  };
}

function publishedFiles(
  paths: readonly string[],
  rules: Layout,
  { image, label }: NonNullable<Layout["patterns"]>,
): DatasetFiles {
  const images = byCase(paths, image, rules);
  const labels = byCase(paths, label, rules);
  for (const [id, masks] of maskFolders(paths, rules)) if (!labels.has(id)) labels.set(id, masks);
  const placed = (files: Map<string, string>) =>
    new Map([...files].map(([id, path]): [string, Place] => [id, { path, isConverted: false }]));
  return { images: placed(images), labels: placed(labels), conversions: [], warnings: [] };
}
/** Hidden files, such as the companions ._NAME that macOS writes. */
function isHidden(path: string): boolean {
  return path.slice(path.lastIndexOf("/") + 1).startsWith(".");
}

function byCase(paths: readonly string[], pattern: RegExp, rules: Layout): Map<string, string> {
  const cases = new Map<string, string>();
  for (const path of paths) {
    const name = pattern.exec(path)?.groups?.["id"];
    if (name === undefined || rules.takes?.(name) === false) continue;
    const id = name.replaceAll(/[^A-Za-z0-9._-]/g, "_");
    const other = cases.get(id);
    if (other !== undefined) throw new Error(`two files for case "${id}": ${other} and ${path}; remove one`);
    cases.set(id, path);
  }
  return cases;
}

function maskFolders(paths: readonly string[], rules: Layout): Map<string, string> {
  const folders = new Map<string, string>();
  if (rules.masks === undefined) return folders;
  for (const path of paths) {
    const id = rules.masks.exec(path)?.groups?.["id"];
    if (id !== undefined) folders.set(id, path.slice(0, path.lastIndexOf("/") + 1));
  }
  return folders;
}

function nothingThere(layout: string, root: string, rules: Layout, files: number): string {
  return [
    `${root} has ${several(files, "file")}, none of them a label; the layout "${layout}" expects there:`,
    ...rules.files.map((file) => `    ${root.replace(/\/$/, "")}/${file}`),
  ].join("\n");
}

function several(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function some(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}
