/**
 * The case list of a dataset. Rules fan out over this file:
 *
 *     { "layout": "btcv", "synthetic": false,
 *       "cases": [{ "id": "0001", "image": ["RawData/…/img0001.nii.gz"], "label": ["RawData/…/label0001.nii.gz"],
 *                   "converted_image": [], "converted_label": [] }],
 *       "conversions": [] }
 *
 * `image` and `label` are relative to the dataset's folder. A label that ends in "/" is a folder with one binary mask per
 * organ. Either is empty if the volume is not NIfTI; then the other field has its path below the folder for converted
 * volumes. Lists of no or one path let a rule read what there is.
 */
import { z } from "zod";
import { readJson, writeJson } from "../json.ts";
import type { Conversion } from "./case-files.ts";

export interface CaseEntry {
  /** Letters, digits, ".", "_" and "-" only. */
  readonly id: string;
  readonly image: readonly string[];
  readonly label: readonly string[];
  readonly converted_image: readonly string[];
  readonly converted_label: readonly string[];
}

export interface CaseList {
  readonly layout: string;
  /** True for phantoms. */
  readonly synthetic: boolean;
  readonly cases: readonly CaseEntry[];
  readonly conversions: readonly Conversion[];
}

const path = z.string().min(1);
const paths = z.array(path).max(1);
const schema = z.object({
  layout: z.string(),
  synthetic: z.boolean(),
  cases: z.array(
    z.object({
      id: path,
      image: paths,
      label: paths,
      converted_image: paths,
      converted_label: paths,
    }),
  ),
  conversions: z.array(z.object({ id: path, files: z.array(path) })),
});

/** @throws Error that names the file and says what does not fit */
export function readCaseList(path: string): CaseList {
  return readJson(path, schema);
}

export function writeCaseList(path: string, list: CaseList): void {
  writeJson(path, list);
}
