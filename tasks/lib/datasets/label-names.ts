/** What the label values in a dataset's files are called. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { labelTable } from "../labels/labels.ts";
import { layoutOf } from "./layouts.ts";

/** nnU-Net 2 writes name → value, nnU-Net 1 value → name. */
const datasetJson = z.object({ labels: z.record(z.string(), z.union([z.int(), z.string()])) });

/**
 * Label value → name, background left out: the published table of a known layout, or the folder's own
 * dataset.json. Throws if there is none or it has no label values.
 */
export async function labelNames(layout: string, root: string): Promise<ReadonlyMap<number, string>> {
  const known = layoutOf(layout).labels;
  if (known !== null) {
    return new Map([...labelTable(known)].map(([value, { name }]) => [value, name]));
  }
  const path = join(root, "dataset.json");
  const text = await readFile(path, "utf8").catch(() => {
    throw new Error(
      `${path} is missing: it says what the label values mean, as { "labels": { "liver": 1 } }`,
    );
  });
  const parsed = datasetJson.safeParse(parseJson(text, path));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const names = new Map<number, string>();
  for (const [key, of] of Object.entries(parsed.data.labels)) {
    const [value, name] = typeof of === "number" ? [of, key] : [Number(key), of];
    if (!Number.isInteger(value) || value < 0) throw new Error(`${path}: "${key}" has no label value`);
    if (value > 0) names.set(value, name);
  }
  return names;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
