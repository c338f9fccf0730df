/**
 * The case list of a dataset. Rules fan out over this file:
 *
 *     { "layout": "btcv", "synthetic": false,
 *       "cases": [{ "id": "0001", "image": "data/btcv/…/img0001.nii.gz", "label": "data/btcv/…/label0001.nii.gz" }],
 *       "conversions": [{ "id": "imagesTr/a", "files": ["data/own/imagesTr/a.mha"] }] }
 *
 * Paths are NIfTI files, relative to the project. A label that ends in "/" is a folder with one binary mask per organ.
 * A rule makes those that are converted from another format (case-files.ts).
 */
import { z } from "zod";
import { readJson, writeJson } from "../json.ts";
import type { Conversion } from "./case-files.ts";

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
  readonly conversions: readonly Conversion[];
}

const path = z.string().min(1);
const schema = z.object({
  layout: z.string(),
  synthetic: z.boolean(),
  cases: z.array(z.object({ id: z.string().min(1), image: path, label: path })),
  conversions: z.array(z.object({ id: path, files: z.array(path) })),
});

/** @throws Error that names the file and says what does not fit */
export function readCaseList(path: string): CaseList {
  return readJson(path, schema);
}

export function writeCaseList(path: string, list: CaseList): void {
  writeJson(path, list);
}
