/** The driver's record of a submission, so that the next one finds its jobs. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { ifThere } from "../files/network-files.ts";

const Shape = z.object({
  version: z.literal(1),
  name: z.string(),
  /** Null: lq died, or the system did not answer, before lq learned it. */
  id: z.nullable(z.string()),
  /** Milliseconds since 1970. */
  submitted: z.number(),
  /** For each job its tasks. */
  elements: z.array(z.array(z.object({ ticket: z.string(), task: z.string(), key: z.string() }))),
});

export type SubmissionRecord = z.infer<typeof Shape>;

const FILE = "submission.json";

export function writeSubmission(folder: string, record: Omit<SubmissionRecord, "version">): void {
  const file = join(folder, FILE);
  writeFileSync(`${file}.new`, JSON.stringify({ version: 1, ...record }));
  renameSync(`${file}.new`, file);
}

/** Null: there is none that is whole. */
export function readSubmission(folder: string): SubmissionRecord | null {
  const text = ifThere(() => readFileSync(join(folder, FILE), "utf8"));
  try {
    return text === null ? null : (Shape.safeParse(JSON.parse(text)).data ?? null);
  } catch {
    return null;
  }
}
