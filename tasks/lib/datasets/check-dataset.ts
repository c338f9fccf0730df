/** Checks a dataset case by case, holding one case in memory at a time. */
import { createRandom } from "../random.ts";
import type { CaseEntry } from "./case-list.ts";
import { checkCase, type CaseCheck } from "./check-case.ts";
import { labelNames } from "./label-names.ts";
import { layoutOf } from "./layouts.ts";
import { foregroundStatistics, median, type ForegroundStatistics } from "./statistics.ts";

/** What was found: `data/NAME.json`. */
export interface Manifest {
  readonly layout: string;
  readonly cases: number;
  /** How many the publishers have; null where there is no fixed number. */
  readonly published: number | null;
  /** Label name → value, and the cases in which it does not occur. */
  readonly labels: Readonly<Record<string, { readonly value: number; readonly absent: readonly string[] }>>;
  /** Case id → digest of the image's content. */
  readonly contents: Readonly<Record<string, string>>;
  /** Cases that cannot be used as they are, and cases to look at: "id: what". */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** What networks are planned by: `stats/NAME.json`. Axes x, y, z of the patient. */
export interface DatasetStatistics {
  readonly cases: number;
  /** Medians over cases, each axis by itself. */
  readonly spacing: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  /** Hounsfield units of labelled voxels; null if there are none. */
  readonly foreground: ForegroundStatistics | null;
}

/** Intensities sampled in all, shared equally among the cases, and the most of one case. */
const DRAWS = 4_000_000;
const DRAWS_OF_CASE = 20_000;

/**
 * Reads every case once. Unreadable files and misfits are collected in the manifest's `errors`, not thrown.
 * `onCase` hears how many are done.
 */
export async function checkDataset(
  layout: string,
  root: string,
  cases: readonly CaseEntry[],
  onCase: (done: number) => void = () => undefined,
): Promise<{ readonly manifest: Manifest; readonly stats: DatasetStatistics }> {
  const names = await labelNames(layout, root);
  const draws = Math.min(DRAWS_OF_CASE, Math.ceil(DRAWS / cases.length));
  const checks: CaseCheck[] = [];
  const errors: string[] = [];
  for (const [index, entry] of cases.entries()) {
    try {
      const random = createRandom("foreground").fork(entry.id);
      checks.push(await checkCase(layout, root, entry, names, draws, random));
    } catch (error) {
      errors.push(`${entry.id}: ${(error as Error).message}`);
    }
    onCase(index + 1);
  }

  const manifest: Manifest = {
    layout,
    cases: cases.length,
    published: layoutOf(layout).published,
    labels: Object.fromEntries(
      [...names].map(([value, name]) => [
        name,
        { value, absent: checks.filter(({ voxels }) => !(value in voxels)).map(({ id }) => id) },
      ]),
    ),
    contents: Object.fromEntries(checks.map(({ id, content }) => [id, content])),
    errors: [...errors, ...checks.flatMap(({ id, errors }) => errors.map((what) => `${id}: ${what}`))],
    warnings: checks.flatMap(({ id, warnings }) => warnings.map((what) => `${id}: ${what}`)),
  };
  const axis = (of: "size" | "spacing", i: 0 | 1 | 2): number => median(checks.map((check) => check[of][i]));
  const stats: DatasetStatistics = {
    cases: checks.length,
    spacing: [axis("spacing", 0), axis("spacing", 1), axis("spacing", 2)],
    size: [axis("size", 0), axis("size", 1), axis("size", 2)],
    foreground: foregroundStatistics(checks.map(({ sample }) => sample)),
  };
  return { manifest, stats };
}
