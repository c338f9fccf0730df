/** Answers the questions that the server asks about the project. */
import { UserError } from "../model/errors.ts";
import { buildView } from "./answers/build.ts";
import { namedFile, namedLog } from "./answers/files.ts";
import { neighbourhoodView } from "./answers/neighbours.ts";
import { projectView } from "./answers/project.ts";
import { resultsView } from "./answers/results.ts";
import { taskView } from "./answers/task.ts";
import { traceView } from "./answers/trace.ts";
import { watchedFiles } from "./answers/watched-files.ts";
import type { Inspection } from "./inspect-project.ts";

type Query = URLSearchParams;

/** The functions that answer, by the name of the question. src/ui/question-names.ts lists those that a page may ask. */
const ANSWERS: { readonly [name: string]: (inspection: Inspection, query: Query) => unknown } = {
  project: projectView,
  task: (inspection, query) => taskView(inspection, text(query, "id")),
  build: (inspection, query) => buildView(inspection, Number(text(query, "number"))),
  neighbours: (inspection, query) => neighbourhoodView(inspection, text(query, "id")),
  results: resultsView,
  trace: (inspection, query) => {
    const cell = query.get("cell");
    return traceView(inspection, text(query, "target"), cell === null ? null : names(cell));
  },
  file: (inspection, query) => namedFile(inspection, text(query, "path")),
  log: (inspection, query) => namedLog(inspection, text(query, "task")),
  watched: watchedFiles,
};

/** @throws UserError for an unknown question */
export function answer(inspection: Inspection, name: string, query: Query): unknown {
  const find = Object.hasOwn(ANSWERS, name) ? ANSWERS[name] : undefined;
  if (find === undefined) throw new UserError(`there is nothing named "${name}" here`);
  return find(inspection, query);
}

function text(query: Query, name: string): string {
  const value = query.get(name);
  if (value === null) throw new UserError(`"${name}" is missing`);
  return value;
}

function names(json: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(json);
    if (Array.isArray(value)) return value.map(String);
  } catch {
    // As below.
  }
  throw new UserError('"cell" must be a list of names');
}
