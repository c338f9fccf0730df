/**
 * The case list of a dataset. Rules fan out over this file:
 *
 *     { "layout": "btcv", "synthetic": false,
 *       "cases": [{ "id": "0001", "image": "RawData/…/img0001.nii.gz", "label": "RawData/…/label0001.nii.gz" }] }
 *
 * Paths are relative to the dataset's folder. A label that ends in "/" is a folder with one binary mask per organ.
 */
import { z } from "zod";
import { readJson, writeJson } from "../json.ts";

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

/** @throws Error that names the file and says what does not fit */
export function readCaseList(path: string): CaseList {
  return readJson(path, schema);
}

export function writeCaseList(path: string, list: CaseList): void {
  writeJson(path, list);
}
