/** Reads the label names in nnU-Net's dataset.json. */
import { z } from "zod";
import { isOrgan, type LabelTable, type Organ } from "../labels/labels.ts";

/** nnU-Net 2 writes name → value (also as text, "1"), nnU-Net 1 value → name. */
const datasetJson = z.object({
  labels: z.record(
    z.string(),
    z.union([z.int(), z.string()], { error: "expected a whole number, or a name for a number" }),
  ),
});

/**
 * Label value → name, and the organ if the study knows one of that name. Background (0) is left out.
 * @param path the file's name in messages
 * @throws Error if the text has another form or a label has no value
 */
export function datasetJsonLabels(text: string, path: string): LabelTable<Organ | null> {
  const parsed = datasetJson.safeParse(parseJson(text, path));
  if (!parsed.success) {
    throw new Error(
      `${path} does not say what the label values mean, as { "labels": { "liver": 1 } }: ${z.prettifyError(parsed.error)}`,
    );
  }
  const table = new Map<number, { name: string; organ: Organ | null }>();
  for (const [key, of] of Object.entries(parsed.data.labels)) {
    const isName = typeof of === "number" || (WHOLE.test(of) && !WHOLE.test(key));
    const [value, name] = isName ? [Number(of), key] : [Number(key), of];
    if (!Number.isInteger(value) || value < 0) throw new Error(`${path}: "${key}" has no label value`);
    if (value > 0) table.set(value, { name, organ: isOrgan(name) ? name : null });
  }
  return table;
}

const WHOLE = /^\d+$/;

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
