/** Gets the page's data from the server of `lq ui`, or from the file of `lq report --html`, which contains it. */
import type { BuildView } from "../../src/ui/answers/build.ts";
import type { ReportData } from "../../src/ui/html-report/report-data.ts";
import type { TraceView } from "../../src/ui/messages.ts";

/** Null: a server is behind the page. */
export const report = embedded();

/** Answers a question. @throws Error with a sentence for the user if there is no answer */
export async function ask<T>(path: string): Promise<T> {
  if (report !== null) return askReport(report, path) as T;
  const response = await fetch(`api/${path}`);
  if (!response.ok) throw new Error((await response.text()).trim());
  return (await response.json()) as T;
}

/** The address of a file that the project names; null: the report does not contain it. */
export function fileUrl(path: string): string | null {
  if (report === null) return `files/${path.split("/").map(encodeURIComponent).join("/")}`;
  return report.files[path]?.url ?? null;
}

/** The text of a file. @throws Error with a sentence for the user */
export async function fileText(path: string): Promise<string> {
  if (report === null) {
    const response = await fetch(fileUrl(path)!);
    if (!response.ok) throw new Error("It cannot be read.");
    return response.text();
  }
  const file = report.files[path];
  if (file?.text === undefined) throw new Error(file?.omitted ?? "The report does not contain this file.");
  return file.text;
}

function embedded(): ReportData | null {
  const text = document.getElementById("data")?.textContent;
  return text == null ? null : (JSON.parse(text) as ReportData);
}

function askReport(data: ReportData, path: string): unknown {
  const [name = "", search = ""] = path.split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const answer = Object.hasOwn(ANSWERS, name) ? ANSWERS[name]?.(data, query) : undefined;
  if (answer === undefined) throw new Error(MISSING[name] ?? "The report does not contain this.");
  return answer;
}

const ANSWERS: { readonly [name: string]: (data: ReportData, query: URLSearchParams) => unknown } = {
  build: ({ build }, query): BuildView | undefined =>
    Number(query.get("number")) === build.build.head.build ? build : undefined,
  results: ({ results }) => results,
  task: ({ tasks }, query) => tasks.find(({ id }) => id === query.get("id")),
  log: ({ logs }, query) => logs[query.get("task") ?? ""],
  trace: traceIn,
};

const MISSING: { readonly [name: string]: string } = {
  build: "The report has one build only.",
  neighbours: "The report has the graph of the rules only.",
  task: "The report has the details of failed tasks only.",
  trace: "The report does not contain where this comes from.",
};

function traceIn(
  { traces, steps, omittedTraces }: ReportData,
  query: URLSearchParams,
): TraceView | undefined {
  if (omittedTraces !== null) throw new Error(omittedTraces);
  const cell = query.get("cell");
  const found = traces.find(
    (trace) =>
      trace.target === query.get("target") &&
      (trace.cell === null ? null : JSON.stringify(trace.cell)) === cell,
  );
  return found && { ...found, steps: found.steps.flatMap((place) => steps[place] ?? []) };
}
