/** Joins the checks of a dataset's cases into its manifest and its statistics. */
import { ignoredValue, type LabelTable, type Organ, valuesByName } from "../labels/labels.ts";
import type { CaseEntry, CaseList } from "./case-list.ts";
import { IMAGE, LABEL, type CaseCheck, type CaseFacts } from "./check-case.ts";
import { layoutOf } from "./layouts.ts";
import { foregroundStatistics, median, type ForegroundStatistics } from "./statistics.ts";

/** Summary of a dataset's cases: `data/NAME.json`. */
export interface Manifest {
  readonly layout: string;
  readonly cases: number;
  /** Number of published cases; null if there is no fixed number. */
  readonly published: number | null;
  /** Label name → its value, and the ids of the cases that do not have it. */
  readonly labels: Readonly<Record<string, { readonly value: number; readonly absent: readonly string[] }>>;
  /** Case id → digest of the image's intensities. */
  readonly contents: Readonly<Record<string, string>>;
  /** Errors make a case unusable. Each entry is "ID: text", or "text" if it is about the whole dataset. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** Statistics that networks are planned with: `stats/NAME.json`. The axes are the patient's x, y, z. */
export interface DatasetStatistics {
  /** Median over cases for each axis: spacing in millimetres, size in voxels. */
  readonly spacing: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  /** Label name → value. */
  readonly labels: Readonly<Record<string, number>>;
  /** Value of the ignore label, if the dataset has one. */
  readonly ignore?: number;
  /** Statistics of Hounsfield units at labelled voxels; null if there are none. */
  readonly foreground: ForegroundStatistics | null;
}

type Checks = ReadonlyMap<string, CaseCheck>;
type Labels = LabelTable<Organ | null>;

/**
 * The manifest of a dataset.
 * @param checks case id → check
 * @param table names the label values
 */
export function manifestOf({ layout, synthetic, cases }: CaseList, checks: Checks, table: Labels): Manifest {
  const found = factsOf(checks);
  const { published } = layoutOf(layout);
  const files = new Map(cases.map((entry) => [entry.id, entry]));
  const named = (id: string, what: string) =>
    what.replaceAll(IMAGE, fileOf(files.get(id), "image")).replaceAll(LABEL, fileOf(files.get(id), "label"));
  const isPart = !synthetic && published !== null && published !== cases.length;
  return {
    layout,
    cases: cases.length,
    published,
    labels: Object.fromEntries(
      Object.entries(valuesByName(table)).map(([name, value]) => [
        name,
        { value, absent: found.filter(([, { voxels }]) => !(value in voxels)).map(([id]) => id) },
      ]),
    ),
    contents: Object.fromEntries(found.map(([id, { content }]) => [id, content])),
    errors: [...checks].flatMap(([id, { facts, errors }]) =>
      [...errors, ...nameless(facts, table)].map((what) => `${id}: ${named(id, what)}`),
    ),
    warnings: [
      ...(isPart ? [`${cases.length} cases, where ${published} were published`] : []),
      ...[...checks].flatMap(([id, { warnings }]) => warnings.map((what) => `${id}: ${named(id, what)}`)),
    ],
  };
}

/** Statistics over the cases that can be read. Spacing and size are NaN if there are none. */
export function statisticsOf(checks: Checks, table: Labels): DatasetStatistics {
  const found = factsOf(checks).map(([, facts]) => facts);
  const ignore = ignoredValue(table);
  const axis = (of: "size" | "spacing", i: 0 | 1 | 2): number => median(found.map((facts) => facts[of][i]));
  return {
    spacing: [axis("spacing", 0), axis("spacing", 1), axis("spacing", 2)],
    size: [axis("size", 0), axis("size", 1), axis("size", 2)],
    labels: valuesByName(table),
    ...(ignore !== null && { ignore }),
    foreground: foregroundStatistics(found.map(({ sample }) => sample)),
  };
}

function fileOf(entry: CaseEntry | undefined, what: "image" | "label"): string {
  return entry?.[what][0] ?? entry?.[`converted_${what}`][0] ?? what;
}

function factsOf(checks: Checks): (readonly [string, CaseFacts])[] {
  return [...checks].flatMap(([id, { facts }]) => (facts === null ? [] : [[id, facts] as const]));
}

function nameless(facts: CaseFacts | null, table: Labels): string[] {
  const strangers = Object.keys(facts?.voxels ?? {}).filter((value) => !table.has(Number(value)));
  return strangers.length === 0 ? [] : [`label values without a name: ${strangers.join(", ")}`];
}
