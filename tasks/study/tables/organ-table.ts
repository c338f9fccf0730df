/** A table of scores with one row for each organ, one row over all organs, and one column for each metric. */
import { aggregate, type Aggregation } from "../metrics/aggregate.ts";
import type { MetricSettings } from "../metrics/score.ts";
import { allOrgans } from "../results/cells.ts";
import type { CaseScores, OrganScores } from "../results/results.ts";
import { quote } from "./csv.ts";
import { escape } from "./markdown.ts";

export type OrganTableSettings = Aggregation &
  Pick<MetricSettings, "tolerance" | "variant" | "units" | "both_empty" | "reference_slices" | "least_dice">;

export interface OrganTable {
  readonly settings: OrganTableSettings;
  readonly cases: number;
  readonly metrics: readonly Metric[];
  /** The organs, then `OVERALL`. */
  readonly rows: readonly { readonly name: string; readonly cells: readonly OrganCell[] }[];
}

interface Metric {
  readonly key: keyof OrganScores;
  readonly name: string;
  /** "%": values are fractions of 1 and printed in percent. */
  readonly unit: "%" | "mm" | "voxel";
}

/** Mean and standard deviation (NaN where undefined) and the number of scores behind them. */
interface OrganCell {
  readonly mean: number;
  readonly std: number;
  readonly scores: number;
}

const OVERALL = "overall";

/** Aggregates by equations 2 and 4 of the paper; see `aggregate`. */
export function organTable(cases: readonly CaseScores[], settings: OrganTableSettings): OrganTable {
  const organs = allOrgans(cases);
  const metrics: readonly Metric[] = [
    { key: "dice", name: "Dice", unit: "%" },
    { key: "surface_dice", name: "Surface Dice", unit: "%" },
    { key: "hd95", name: "HD95", unit: settings.units },
    { key: "assd", name: "ASSD", unit: settings.units },
  ];
  const columns = metrics.map(({ key }) => {
    const scores = organs.map((organ) => cases.map((each) => each.organs[organ]?.[key] ?? null));
    const { mean, std, organs: each } = aggregate(scores, settings);
    const cells = each.map((organ) => ({ mean: organ.mean, std: organ.std, scores: organ.cases }));
    return [...cells, { mean, std, scores: cells.reduce((sum, cell) => sum + cell.scores, 0) }];
  });
  const rows = [...organs, OVERALL].map((name, i) => ({ name, cells: columns.map((column) => column[i]!) }));
  return { settings, cases: cases.length, metrics, rows };
}

/** Values are in percent or in the metric's unit. */
export function renderOrganMarkdown(table: OrganTable): string {
  const { metrics, rows, cases } = table;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    "# Scores",
    "",
    line(["", ...metrics.map(({ name, unit }) => `${name} (${unit})`)]),
    `|---|${"---:|".repeat(metrics.length)}`,
    ...rows.map(({ name, cells }) =>
      line([
        name === OVERALL ? `**${name}**` : escape(name),
        ...metrics.map(({ unit }, i) => cellText(cells[i]!, unit, name === OVERALL ? 0 : cases)),
      ]),
    ),
    "",
    ...notes(table).map((note) => `- ${note}`),
    "",
  ].join("\n");
}

/** "93.1 ± 2.0", or "93.1 ± 2.0 (n = 8)" where fewer than all cases have a score. */
function cellText({ mean, std, scores }: OrganCell, unit: Metric["unit"], cases: number): string {
  if (!Number.isFinite(mean)) return "–";
  const text = (value: number) =>
    Number.isFinite(value) ? (unit === "%" ? (100 * value).toFixed(1) : value.toFixed(2)) : "–";
  const share = cases > 0 && scores < cases ? ` (n = ${scores})` : "";
  return `${text(mean)} ± ${text(std)}${share}`;
}

function notes({ settings, cases }: OrganTable): readonly string[] {
  const { tolerance, units, variant, both_empty, reference_slices: slices = [], deviation } = settings;
  const { least_dice = 0 } = settings;
  const within =
    typeof tolerance === "number"
      ? `${tolerance} ${units}`
      : Object.entries(tolerance)
          .map(([name, value]) => `${escape(name)} ${value} ${units}`)
          .join(", ");
  return [
    `Mean ± ${deviation} standard deviation over ${cases} ${cases === 1 ? "case" : "cases"}; the overall row has the mean of the labels' means and the root mean square of their deviations.`,
    `Surface Dice within ${within}, ${variant === "surface-area" ? "surfaces weighted by area" : "boundary voxels counted"}.`,
    both_empty === "nan"
      ? "A label that is in neither volume of a case is left out. A label that is in only one of them has Dice and Surface Dice 0 and no distances."
      : `A label that is in neither volume of a case has Dice and Surface Dice ${both_empty}. A label that is in only one of them has 0. Neither has distances.`,
    ...(slices.length > 0
      ? [`Scored only in the slices where the reference has the label: ${slices.map(escape).join(", ")}.`]
      : []),
    ...(least_dice > 0 ? [`A label with a Dice below ${least_dice} has Surface Dice 0.`] : []),
  ];
}

/** One line for each row and metric, in full precision. Unit 1 means fractions of 1; distances have their unit. */
export function renderOrganCsv({ metrics, rows }: OrganTable): string {
  const text = (value: number) => (Number.isFinite(value) ? String(value) : "");
  const lines = rows.flatMap(({ name, cells }) =>
    metrics.map(({ key, unit }, i) => {
      const { mean, std, scores } = cells[i]!;
      return [quote(name), key, unit === "%" ? "1" : unit, text(mean), text(std), scores].join(",");
    }),
  );
  return ["label,metric,unit,mean,std,scores", ...lines, ""].join("\n");
}
