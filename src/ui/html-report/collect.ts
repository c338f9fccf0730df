/** Collects what a report of one build contains. It reads the project and its records and writes nothing. */
import { closeSync, fstatSync, readFileSync, readSync } from "node:fs";
import { extname } from "node:path";
import type { Build } from "../../history/builds.ts";
import { isDone } from "../../history/lines.ts";
import type { Json } from "../../model/model.ts";
import { buildView } from "../answers/build.ts";
import { namedFile, namedLog } from "../answers/files.ts";
import { buildLine, projectView } from "../answers/project.ts";
import { resultsView } from "../answers/results.ts";
import { taskView } from "../answers/task.ts";
import { traceView } from "../answers/trace.ts";
import { FILE_TYPES, openNamed } from "../files.ts";
import type { Inspection } from "../inspect-project.ts";
import type { BuildState, ResultsView, StepView, TraceView } from "../messages.ts";
import type { LogPart, ReportData, ReportFile, SettingsView, SharedTrace } from "./report-data.ts";
import { withFewerRuns, withFewerTasks } from "./fewer-tasks.ts";

/** Bytes of the end of a log that the report keeps. */
const LOG_END = 64 << 10;
/** Bytes of the text of a table without cells that the report keeps at most. */
const TABLE_TEXT = 256 << 10;
/** How many failed tasks have all their details in the report. */
const MOST_FAILED = 50;

export function collect(inspection: Inspection, build: Build, state: BuildState): ReportData {
  const view = buildView(inspection, build.number);
  const results = resultsOfReport(inspection);
  const failed = failedTasks(inspection, build);
  const project = projectView(inspection);
  return {
    project: withFewerTasks({
      ...project,
      at: build.summary?.ended ?? build.started,
      builds: [buildLine(build)],
    }),
    build: { ...view, build: withFewerRuns(view.build) },
    state,
    results,
    settings: { params: flat(inspection.project.pipeline.params), devices: devicesOf(build) },
    tasks: failed.map((id) => taskView(inspection, id)),
    logs: logsOf(inspection, failed),
    ...tracesOf(inspection, results),
    omittedTraces: null,
    files: filesOf(inspection, results),
  };
}

/** Keeps one form of each figure: the smallest file. */
function resultsOfReport(inspection: Inspection): ResultsView {
  const results = resultsView(inspection);
  const smallest = new Map<string, { readonly path: string; readonly size: number }>();
  for (const { path } of results.figures) {
    const stem = path.slice(0, -extname(path).length);
    const size = contentOf(inspection, path)?.length ?? Infinity;
    if (size < (smallest.get(stem)?.size ?? Infinity) || !smallest.has(stem))
      smallest.set(stem, { path, size });
  }
  const kept = new Set([...smallest.values()].map(({ path }) => path));
  return { ...results, figures: results.figures.filter(({ path }) => kept.has(path)) };
}

function filesOf(inspection: Inspection, { figures, tables }: ResultsView): ReportData["files"] {
  const files: { [path: string]: ReportFile } = {};
  for (const { path } of figures) {
    const content = contentOf(inspection, path);
    const [type = ""] = (FILE_TYPES[extname(path).toLowerCase()] ?? "").split(";");
    files[path] =
      content === null
        ? { omitted: "It is not there." }
        : { url: `data:${type};base64,${content.toString("base64")}` };
  }
  for (const { path, cells } of tables) {
    if (cells.length > 0) continue;
    const content = contentOf(inspection, path);
    if (content === null) files[path] = { omitted: "It is not there." };
    else if (content.length > TABLE_TEXT)
      files[path] = { omitted: `This table has ${content.length} bytes, which are too many for the report.` };
    else files[path] = { text: content.toString("utf8") };
  }
  return files;
}

function contentOf(inspection: Inspection, path: string): Buffer | null {
  const named = namedFile(inspection, path);
  const descriptor = named && openNamed(named);
  if (descriptor === null) return null;
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The tasks that failed in the build and that the graph still has. */
function failedTasks({ session }: Inspection, { tasks }: Build): readonly string[] {
  const ids = tasks.filter(({ outcome }) => outcome === "failed").map(({ task }) => task);
  return [...new Set(ids)].filter((id) => session.graph.task(id) !== undefined).slice(0, MOST_FAILED);
}

function logsOf(inspection: Inspection, failed: readonly string[]): ReportData["logs"] {
  const logs: { [task: string]: LogPart } = {};
  for (const id of failed) {
    const named = namedLog(inspection, id);
    const descriptor = named && openNamed(named);
    if (descriptor !== null) logs[id] = endOf(descriptor);
  }
  return logs;
}

/** Reads the end of a log, and closes it. */
function endOf(descriptor: number): LogPart {
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, LOG_END));
    const from = size - buffer.length;
    const length = readSync(descriptor, buffer, 0, buffer.length, from);
    const whole = from === 0 ? 0 : buffer.indexOf(10) + 1;
    const text = buffer.toString("utf8", whole, length);
    return logPart(
      from === 0 ? text : `[lq: the report has the last 64 KiB of this log of ${size} bytes]\n${text}`,
    );
  } finally {
    closeSync(descriptor);
  }
}

export function logPart(text: string): LogPart {
  const size = Buffer.byteLength(text);
  return { text, size, next: size };
}

function tracesOf(inspection: Inspection, results: ResultsView): Pick<ReportData, "steps" | "traces"> {
  const places = new Map<string, number>();
  const steps: StepView[] = [];
  const placeOf = (step: StepView): number => {
    const text = JSON.stringify(step);
    let place = places.get(text);
    if (place === undefined) {
      places.set(text, (place = steps.length));
      steps.push(step);
    }
    return place;
  };
  const share = (trace: TraceView): SharedTrace => ({ ...trace, steps: trace.steps.map(placeOf) });
  const targets = [...results.tables, ...results.figures].map(({ path }) =>
    traceView(inspection, path, null),
  );
  const cells = results.tables.flatMap(({ path, cells: all }) =>
    all.map(({ row, column, metric }) =>
      traceView(inspection, path, [row, column, ...(metric === "" ? [] : [metric])]),
    ),
  );
  const traces = [...targets, ...cells].map(share);
  return { steps, traces };
}

function flat(params: Json, path = ""): SettingsView["params"] {
  const isBranch = typeof params === "object" && params !== null && !Array.isArray(params);
  if (!isBranch) return [{ name: path, value: params }];
  return Object.entries(params).flatMap(([name, value]) =>
    flat(value, path === "" ? name : `${path}.${name}`),
  );
}

function devicesOf({ tasks }: Build): SettingsView["devices"] {
  const devices = new Map<string, { tasks: number; seconds: number }>();
  for (const task of tasks) {
    if (task.outcome !== "failed" && !isDone(task)) continue;
    for (const name of task.devices.length === 0 ? ["CPU"] : task.devices.map((each) => `GPU ${each}`)) {
      const { tasks: count, seconds } = devices.get(name) ?? { tasks: 0, seconds: 0 };
      devices.set(name, { tasks: count + 1, seconds: seconds + (task.ended - task.started) / 1000 });
    }
  }
  return [...devices].map(([name, each]) => ({ name, ...each })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
