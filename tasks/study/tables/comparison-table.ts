/** Comparisons of rows with one row: Markdown has one block for each experiment, CSV one line for each comparison. */
import type { Comparison } from "../results/comparisons.ts";
import { quote } from "./csv.ts";
import { escape } from "./markdown.ts";
import { syntheticNotice } from "./synthetic.ts";

export interface ComparisonBlock {
  readonly title: string;
  /** Name of the row that the others are compared with. */
  readonly against: string;
  readonly columns: readonly string[];
  /** Whether the numbers of each column come from phantoms. */
  readonly synthetic: readonly boolean[];
  readonly rows: readonly { readonly key: string; readonly name: string }[];
  /** comparisons[column]: one for each row that can be compared. */
  readonly metrics: readonly {
    readonly name: string;
    readonly comparisons: readonly (readonly Comparison[])[];
  }[];
}

const SIGNIFICANT = 0.05;

/** Says so at the top if numbers come from phantoms. */
export function renderComparisonsMarkdown(
  text: { readonly title: string; readonly caption: string; readonly notes: readonly string[] },
  blocks: readonly ComparisonBlock[],
): string {
  const parts = blocks.flatMap(({ title, columns, synthetic }) =>
    columns.map((column, c) => ({ name: `${title}: ${column}`, synthetic: [synthetic[c] ?? false] })),
  );
  const notice = syntheticNotice("columns", parts);
  return [
    `# ${text.title}`,
    "",
    ...(notice === null ? [] : [`> **${notice}**`, ""]),
    text.caption,
    "",
    ...blocks.flatMap(blockLines),
    "- Each cell has the mean difference over cases in percentage points [95 % bootstrap interval over cases]. The score of a case is its mean over organs.",
    `- \\*: p < ${SIGNIFICANT} in Wilcoxon's signed-rank test (two-sided), with Holm's correction over the rows of the same column and metric.`,
    ...text.notes.map((note) => `- ${note}`),
    "",
  ].join("\n");
}

function blockLines({ title, against, columns, rows, metrics }: ComparisonBlock): string[] {
  return [
    `## ${escape(title)}: difference from ${escape(against)}`,
    "",
    `| | | ${columns.map(escape).join(" | ")} |`,
    `|---|---|${"---:|".repeat(columns.length)}`,
    ...rows.flatMap(({ key, name }) =>
      metrics.map((metric, m) => {
        const cells = metric.comparisons.map((each) => cellText(each.find(({ row }) => row === key)));
        return `| ${m === 0 ? escape(name) : ""} | ${escape(metric.name)} | ${cells.join(" | ")} |`;
      }),
    ),
    "",
  ];
}

function cellText(comparison: Comparison | undefined): string {
  if (comparison === undefined) return "–";
  const { mean, interval, corrected } = comparison;
  const mark = corrected !== null && corrected < SIGNIFICANT ? " \\*" : "";
  return `${points(mean)} [${points(interval.low)}, ${points(interval.high)}]${mark}`;
}

function points(fraction: number): string {
  const text = Math.abs(100 * fraction).toFixed(1);
  return `${Number(text) === 0 ? "" : fraction < 0 ? "−" : "+"}${text}`;
}

/** In full precision; differences are fractions of 1. */
export function renderComparisonsCsv(blocks: readonly ComparisonBlock[]): string {
  const head = "experiment,metric,column,row,against,n,difference,low,high,p,p_holm,data";
  const lines = blocks.flatMap(({ title, against, columns, synthetic, rows, metrics }) =>
    metrics.flatMap((metric) =>
      columns.flatMap((column, c) =>
        rows.flatMap(({ key, name }) => {
          const found = metric.comparisons[c]?.find(({ row }) => row === key);
          if (found === undefined) return [];
          const { n, mean, interval, p, corrected } = found;
          const texts = [title, metric.name, column, name, against].map(quote);
          const data = synthetic[c] ? "synthetic" : "real";
          return [[...texts, n, mean, interval.low, interval.high, p ?? "", corrected ?? "", data].join(",")];
        }),
      ),
    ),
  );
  return [head, ...lines, ""].join("\n");
}
