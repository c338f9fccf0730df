/** Params that the tables and figures share. */
import { z } from "zod";
import { readJson } from "../json.ts";
import { aggregation } from "../metrics/aggregate.ts";
import type { ResultFile } from "./results.ts";

/** Key → display name. Their order is the order of rows and columns. */
export const names = z.record(z.string(), z.string());

export const tableText = z.strictObject({
  title: z.string(),
  caption: z.string(),
  /** Sentences below the table. */
  notes: z.array(z.string()).default([]),
});

export { aggregation };

/** Whether any of the case lists says that its cases are phantoms. */
export function anySynthetic(files: readonly ResultFile[]): boolean {
  return files.some(({ path }) => readJson(path, z.object({ synthetic: z.boolean() })).synthetic);
}
