/** Describes one task with all its details. */
import { statSync } from "node:fs";
import { acceptedOf } from "../../cli/accepted.ts";
import { reasonsOf } from "../../plan/status.ts";
import { typedCommand } from "../../fingerprint/render-command.ts";
import { explain, explainInFull } from "../../decide/explain.ts";
import { logPath } from "../../execute/log-path.ts";
import { causesOf, type Cause } from "../../inspect/causes.ts";
import { UserError } from "../../model/errors.ts";
import type { Task, TaskPath } from "../../model/model.ts";
import { absolute } from "../../model/paths.ts";
import type { Inspection } from "../inspect-project.ts";
import type { ChainView, PathView, RunView, TaskView } from "../messages.ts";
import { fileKind } from "./file-kind.ts";

const MOST_PATHS = 500;
const MOST_READERS = 5;
const MOST_RUNS = 50;
const MOST_CHAIN = 8;
const DIGITS = 12;

/** @throws UserError if there is no such task */
export function taskView(inspection: Inspection, id: string): TaskView {
  const { session, root } = inspection;
  const task = session.graph.task(id);
  if (task === undefined) throw new UserError(`the graph has no task ${id}, as far as it is known now`);
  const status = inspection.statuses.get(id);
  const freshness = status?.freshness;
  const last = session.state.last(id);
  const action = typeof last?.key === "string" ? session.store.action(last.key) : undefined;
  const recipe = action?.recipe.action;
  const cause = status === undefined ? undefined : causesOf(id, inspection.facts);
  const log = logPath(task);
  const logSize = sizeOf(absolute(root, log));
  return {
    id,
    rule: task.rule.name,
    state: freshness?.state ?? null,
    reasons: freshness === undefined ? [] : reasonsOf(freshness).map(explainInFull),
    chain: cause === undefined ? [] : [chainOf(cause)],
    on: freshness?.state === "pending" ? freshness.on.slice(0, MOST_PATHS) : [],
    bindings: task.bindings.map(({ text }, i) => ({ name: task.rule.each[i]?.name ?? "", value: text })),
    params: Object.entries(task.params).map(([name, { value, origin }]) => ({ name, value, origin })),
    command: task.action.kind === "cmd" ? typedCommand(task) : null,
    module: moduleOf(task),
    codeFiles: recipe?.kind === "run" ? recipe.code.files.map(({ path }) => path) : [],
    key: last?.key ?? null,
    slots: slotsText(task),
    inputs: task.inputs.slice(0, MOST_PATHS).map((input) => inputView(inspection, input)),
    outputs: task.outputs.map((output) => outputView(inspection, task, output)),
    log: logSize === null ? null : { path: log, size: logSize },
    runs: runsOf(inspection, id),
    accepted: acceptedOf(session, id),
  };
}

function chainOf({ task, run, more, told, from }: Cause): ChainView {
  return {
    task: task.id,
    state: task.freshness.state,
    reasons: (run?.run.reasons ?? reasonsOf(task.freshness)).slice(0, MOST_CHAIN).map(explainInFull),
    more,
    told,
    from: from.slice(0, MOST_CHAIN).map(chainOf),
  };
}

function inputView({ session, root }: Inspection, { role, path }: TaskPath): PathView {
  const maker = session.graph.producer(path);
  return {
    path,
    role,
    size: sizeOf(absolute(root, path)),
    digest: session.state.writtenFile(path)?.digest.slice(0, DIGITS) ?? null,
    tasks: maker === undefined ? [] : [maker.id],
    more: 0,
    view: fileKind(path),
  };
}

function outputView(inspection: Inspection, task: Task, { role, path }: TaskPath): PathView {
  const { session, root } = inspection;
  const readers = inspection
    .readers(task)
    .filter(({ inputs }) =>
      inputs.some(
        (input) => input.path === path || (input.path.endsWith("/") && path.startsWith(input.path)),
      ),
    );
  return {
    path,
    role,
    size: sizeOf(absolute(root, path)),
    digest: session.state.writtenFile(path)?.digest.slice(0, DIGITS) ?? null,
    tasks: readers.slice(0, MOST_READERS).map(({ id }) => id),
    more: Math.max(0, readers.length - MOST_READERS),
    view: fileKind(path),
  };
}

function runsOf({ builds }: Inspection, id: string): readonly RunView[] {
  const runs = builds.flatMap(({ number, tasks }) =>
    tasks.flatMap((line): RunView[] => {
      if (line.task !== id) return [];
      const { outcome, started, ended, devices, reasons, error = null } = line;
      const seconds = (ended - started) / 1000;
      return [{ build: number, outcome, started, seconds, devices, reasons: reasons.map(explain), error }];
    }),
  );
  return runs.slice(0, MOST_RUNS);
}

/** The module or script that the task runs. */
function moduleOf({ action }: Task): string | null {
  if (action.kind === "cmd") return null;
  return action.kind === "run" ? action.module : action.path;
}

function slotsText({ rule: { slots } }: Task): string {
  const { cpu, memory, gpu, pools } = slots;
  return [
    `${cpu} ${cpu === 1 ? "core" : "cores"}`,
    ...(memory > 0 ? [`${Math.round(memory / 2 ** 20)} MiB`] : []),
    ...(gpu === null
      ? []
      : [`${gpu.count} ${gpu.count === 1 ? "GPU" : "GPUs"}${gpu.optional ? " if there is one" : ""}`]),
    ...[...pools].map(([name, places]) => `${places} of ${name}`),
  ].join(", ");
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}
