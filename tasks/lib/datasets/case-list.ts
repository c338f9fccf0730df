/**
 * The case list of a dataset, the file that the study's graph grows from:
 *
 *     { "layout": "btcv", "synthetic": false,
 *       "cases": [{ "id": "0001", "image": "RawData/…/img0001.nii.gz", "label": "RawData/…/label0001.nii.gz" }] }
 *
 * Paths are relative to the dataset's folder. A label that ends in "/" is a folder of one binary mask an organ.
 */
import { z } from "zod";

export interface CaseEntry {
  /** Letters, digits, ".", "_" and "-" only. */
  readonly id: string;
  readonly image: string;
  readonly label: string;
}

export interface CaseList {
  readonly layout: string;
  /** True for phantoms. */
  readonly synthetic: boolean;
  readonly cases: readonly CaseEntry[];
}

const path = z.string().min(1);
const schema = z.object({
  layout: z.string(),
  synthetic: z.boolean(),
  cases: z.array(z.object({ id: z.string().min(1), image: path, label: path })),
});

/** Reads a case list from its JSON text. Throws saying what does not fit. */
export function caseList(text: string): CaseList {
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(`not a case list: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function caseListText(list: CaseList): string {
  return JSON.stringify(list, null, 1) + "\n";
}
