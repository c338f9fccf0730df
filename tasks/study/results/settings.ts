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

/** The sources whose case lists (cases/SOURCE.json) say that their cases are phantoms. */
export function syntheticSources(files: readonly ResultFile[]): ReadonlySet<string> {
  const isSynthetic = ({ path }: ResultFile) =>
    readJson(path, z.object({ synthetic: z.boolean() })).synthetic;
  return new Set(files.filter(isSynthetic).map(({ name }) => name.replace(/\.json$/, "")));
}
