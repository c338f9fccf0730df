/** Lists the steps from an output, or from one cell of a table, down to the sources. */
import { readFileSync } from "node:fs";
import * as z from "zod/mini";
import { cellPaths, findCell } from "../../inspect/cells.ts";
import { lineage, type Step } from "../../inspect/lineage.ts";
import { UserError } from "../../model/errors.ts";
import { absolute } from "../../model/paths.ts";
import type { Inspection } from "../inspect-project.ts";
import type { StepView, TraceView } from "../messages.ts";
import { cellsOf } from "./results.ts";

/** How many files, params and values of one step the answer has at most. */
const MOST = 12;

/** @throws UserError if no task makes the output, or if there is no such cell */
export function traceView(inspection: Inspection, target: string, cell: readonly string[] | null): TraceView {
  const { session, builds, root } = inspection;
  const task = session.graph.producer(target);
  if (task === undefined) throw new UserError(`no task makes ${target}`);
  const found = cell === null ? null : cellsOf(inspection, { path: target, task });
  if (cell !== null && found === null)
    throw new UserError(`${target} does not say where its cells come from`);
  const paths = found === null || cell === null ? undefined : cellPaths(task, findCell(found.cells, cell));
  return {
    target,
    cell,
    state: inspection.stateOf(task.id),
    scores: cell === null || paths === undefined ? [] : scoresIn(root, paths, cell.at(-1) ?? ""),
    steps: [...stepsOf(lineage(session, builds, task, paths), 0)],
  };
}

function* stepsOf(step: Step, depth: number): Generator<StepView> {
  const [first, ...others] = step.tasks;
  yield {
    depth,
    rule: step.rule,
    task: first?.task ?? step.rule,
    more: others.length,
    outputs: step.tasks.flatMap(({ outputs }) => outputs).slice(0, MOST),
    key: first?.key ?? null,
    build: first?.build ?? null,
    finished: first?.finished ?? null,
    seconds: first?.seconds ?? null,
    devices: first?.devices ?? [],
    accepted: step.tasks.some(({ accepted }) => accepted !== null),
    code: step.code?.name ?? null,
    params: step.params.slice(0, MOST).map(({ name, values }) => ({
      name,
      values: values
        .slice(0, MOST)
        .map((value) => (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 200)),
    })),
    sources: step.sources.slice(0, MOST),
    seen: step.seen,
  };
  for (const from of step.from) yield* stepsOf(from, depth + 1);
}

const Organs = z.record(z.string(), z.record(z.string(), z.nullable(z.number())));
const CaseScores = z.object({ case: z.string(), organs: Organs });
const Scores = z.union([CaseScores, z.object({ cases: z.array(CaseScores) })]);

/** The mean score over organs of each case that a cell was computed from, worst first; empty for other files. */
function scoresIn(root: string, paths: readonly string[], metric: string): TraceView["scores"] {
  const name = metric.toLowerCase().replaceAll(" ", "_");
  const cases = paths.flatMap((path) => {
    const { data } = Scores.safeParse(jsonIn(absolute(root, path)));
    return data === undefined ? [] : "cases" in data ? data.cases : [data];
  });
  return cases
    .flatMap(({ case: id, organs }) => {
      const values = Object.values(organs).flatMap((organ) => organ[name] ?? []);
      const sum = values.reduce((total, value) => total + value, 0);
      return values.length === 0 ? [] : [{ case: id, score: sum / values.length }];
    })
    .sort((a, b) => a.score - b.score);
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
