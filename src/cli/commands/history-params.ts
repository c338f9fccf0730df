/** `lq history TARGET --params`: shows the runs of a target, one in each row, and how they differ. */
import { builds } from "../../history/builds.ts";
import { settingsOfRuns, type RunSettings } from "../../inspect/settings.ts";
import { UserError } from "../../model/errors.ts";
import type { Json } from "../../model/model.ts";
import { printableLine } from "../../report/printable.ts";
import { localTime } from "../local-time.ts";
import { openProject } from "../options.ts";
import { print } from "../print.ts";
import { namedOf, planned } from "../tasks-named.ts";
import type { HistoryFlags } from "./history.ts";

export async function runHistoryParams(targets: readonly string[], flags: HistoryFlags): Promise<number> {
  const project = openProject(flags);
  if (targets.length === 0)
    throw new UserError({
      message: "--params needs a target",
      hint: "as in lq history tables/x.md --params",
    });
  const { session, selected } = await planned(project, targets);
  const all = settingsOfRuns(session, [...builds(session.root)], namedOf(selected, targets));
  const wanted = (flags.where ?? []).map(condition);
  const rows = all
    .filter(({ settings }) =>
      wanted.every(({ name, value }) => valueText(settings.get(name) ?? null) === value),
    )
    .slice(0, flags.most);
  if (flags.json === true) for (const row of rows) console.log(JSON.stringify(record(row)));
  else if (rows.length === 0) print(all.length === 0 ? "nothing is on record yet" : "no run matches --where");
  else print(table(rows, flags.csv === true).join("\n"));
  return 0;
}

function condition(text: string): { readonly name: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at > 0) return { name: text.slice(0, at), value: text.slice(at + 1) };
  throw new UserError({ message: `--where takes NAME=VALUE, not "${text}"` });
}

function record({ task, build, started, outcome, settings }: RunSettings): object {
  return { type: "run", task, build, started, outcome, params: Object.fromEntries(settings) };
}

function table(rows: readonly RunSettings[], csv: boolean): readonly string[] {
  const names = [...(rows[0]?.settings.keys() ?? [])];
  const many = new Set(rows.map(({ task }) => task)).size > 1;
  const lines = [
    ["build", "started", ...(many ? ["task"] : []), "outcome", ...names],
    ...rows.map(({ build, started, task, outcome, settings }) => [
      String(build),
      localTime(started),
      ...(many ? [task] : []),
      outcome,
      ...names.map((name) => valueText(settings.get(name) ?? null)),
    ]),
  ];
  if (csv) return lines.map((line) => line.map(csvCell).join(","));
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? [];
  return lines.map((line) =>
    printableLine(
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
  );
}

function valueText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function csvCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
