/**
 * The case list of a dataset, the file that the study's graph grows from:
 *
 *     { "cases": [{ "id": "0001", "image": "data/btcv/…/img0001.nii.gz", "label": "data/btcv/…/label0001.nii.gz" }] }
 *
 * Paths are relative to the project. A label that ends in "/" is a folder of one binary mask an organ.
 */
import { z } from "zod";

export interface CaseEntry {
  /** Letters, digits, ".", "_" and "-" only. */
  readonly id: string;
  readonly image: string;
  readonly label: string;
}

const path = z.string().min(1);
const schema = z.object({ cases: z.array(z.object({ id: z.string().min(1), image: path, label: path })) });

/** Reads a case list from its JSON text. Throws saying what does not fit. */
export function caseList(text: string): { readonly cases: readonly CaseEntry[] } {
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`not a case list: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The JSON text of a case list, with `root` (the dataset's folder, from the project) before each path, and facts about them all. */
export function caseListText(
  root: string,
  cases: readonly CaseEntry[],
  facts: { readonly synthetic?: boolean } = {},
): string {
  const prefix = root.endsWith("/") ? root : `${root}/`;
  const placed = cases.map(({ id, image, label }) => ({ id, image: prefix + image, label: prefix + label }));
  return JSON.stringify({ ...facts, cases: placed }, null, 1) + "\n";
}
