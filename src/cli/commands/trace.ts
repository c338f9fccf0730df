/** `lq trace TARGET [--cell NAME…]`: shows what an output, or one cell of a table, was made from. */
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { UserError } from "../../model/errors.ts";
import { normalise } from "../../model/paths.ts";
import { builds } from "../../history/builds.ts";
import { cellPaths, cellsOutput, findCell, parseCells, type Cell } from "../../inspect/cells.ts";
import { lineage, type Step } from "../../inspect/lineage.ts";
import { andMore, firstNames } from "../../model/cut-list.ts";
import type { Task } from "../../model/model.ts";
import { painter, type Paint } from "../../report/paint.ts";
import { duration } from "../../report/lines.ts";
import { statusOf } from "../../plan/status.ts";
import { acceptedText } from "../accepted.ts";
import { localTime } from "../local-time.ts";
import { openProject, useColor, type CommonFlags, type Project } from "../options.ts";
import { print } from "../print.ts";
import { planned } from "../tasks-named.ts";

export interface TraceFlags extends CommonFlags {
  readonly cell?: readonly string[];
}

/** How many names and values to list at most. */
const SHOWN = 3;
/** How many characters of a value to show. */
const WIDTH = 100;

export async function runTrace([target = ""]: readonly string[], flags: TraceFlags): Promise<number> {
  const project = openProject(flags);
  const { session, selected, plan } = await planned(project, [target]);
  const [task, ...others] = selected.named;
  if (task === undefined || others.length > 0)
    throw new UserError({
      message: `"${target}" names ${selected.named.size} tasks; lq trace follows one`,
      hint: "name an output or a task id",
    });
  if (session.state.last(task.id) === undefined)
    throw new UserError({ message: `${task.id} has not been built yet`, hint: `lq build ${target}` });
  const cell = flags.cell === undefined ? undefined : cellOf(project, task, target, flags.cell);
  const root = lineage(session, builds(session.root), task, cell && cellPaths(task, cell));
  const state = statusOf(plan).find(({ id }) => id === task.id)?.freshness.state ?? "stale";
  if (flags.json === true)
    console.log(JSON.stringify({ type: "trace", target, state, cell: cell ?? null, step: root }));
  else {
    if (state !== "fresh")
      console.error(`${task.id} is ${state} now (lq why ${target}); this is its last run:`);
    const paint = painter(useColor(process.stdout, flags.color));
    if (cell !== undefined) print(cellText(cell, paint));
    print(describe(root, paint).join("\n"));
  }
  return 0;
}

function cellOf({ pipeline, cwd }: Project, task: Task, target: string, names: readonly string[]): Cell {
  const { root } = pipeline;
  const typed = normalise(
    root,
    posix.isAbsolute(target) ? target : posix.join(posix.relative(root, cwd), target),
  );
  const path = task.outputs.some((output) => output.path === typed) ? typed : (task.outputs[0]?.path ?? "");
  const file = cellsOutput(task, path);
  if (file === undefined)
    throw new UserError({
      message: `${task.id} does not say where the cells of ${path} come from`,
      hint: "without --cell, lq trace follows the whole output",
    });
  if (!existsSync(join(root, file)))
    throw new UserError({ message: `${file} is not there`, hint: `lq build ${target}` });
  return findCell(parseCells(file, readFileSync(join(root, file), "utf8")), names);
}

function cellText({ names, values }: Cell, paint: Paint): string {
  const numbers = Object.entries(values).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  return `${paint("bold", names.join(" · "))}: ${numbers.join(", ")}`;
}

function describe(step: Step, paint: Paint, indent = ""): string[] {
  const inner = `${indent}  `;
  const [first] = step.tasks;
  const many = step.tasks.length > 1 ? ` ${andMore(step.tasks.length - 1, `of ${step.rule}`)}` : "";
  const marked = step.tasks.flatMap((task) => task.accepted ?? []);
  const [accepted] = marked;
  const share = step.tasks.length > 1 ? ` (${marked.length} of ${step.tasks.length} tasks)` : "";
  const name = `${indent}${paint("bold", first?.task ?? step.rule)}${many}`;
  if (step.seen) return [`${name} (shown above)`];
  return [
    name,
    ...(first ? [`${inner}${runText(first)}`] : []),
    ...(accepted ? [`${inner}${acceptedText(accepted)}${share}`] : []),
    ...(first
      ? [
          `${inner}output  ${firstNames(
            step.tasks.flatMap(({ outputs }) => outputs),
            SHOWN,
          )}`,
        ]
      : []),
    ...(step.code ? [`${inner}code    ${codeText(step.code)}`] : []),
    ...step.params.map(({ name: label, values }) => `${inner}param   ${label}: ${valuesText(values)}`),
    ...(step.sources.length > 0
      ? [
          `${inner}source  ${firstNames(
            step.sources.map(({ path }) => path),
            SHOWN,
          )}`,
        ]
      : []),
    ...step.from.flatMap((each) => describe(each, paint, inner)),
  ];
}

function runText({ finished, seconds, build, key, devices, accepted }: Step["tasks"][number]): string {
  if (finished === null) return "run     not on record";
  const where = build === null ? "" : `, build ${build}`;
  const on = devices.length > 0 ? `, on device ${devices.join(", ")}` : "";
  return `run     ${localTime(finished)}, ${duration(seconds ?? 0)}${where}${on}, key ${(accepted?.key ?? key)?.slice(0, 12) ?? "none"}`;
}

function codeText({ name, files, digest }: NonNullable<Step["code"]>): string {
  return files === 0
    ? cut(name)
    : `${name}${files > 1 ? ` with ${files - 1} ${files === 2 ? "file" : "files"} it imports` : ""} (${digest.slice(0, 12)})`;
}

function valuesText(values: Step["params"][number]["values"]): string {
  const texts = values.map((value) => cut(typeof value === "string" ? value : JSON.stringify(value)));
  return texts.length <= SHOWN ? texts.join(" or ") : `${texts.length} different values`;
}

function cut(text: string): string {
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH - 1)}…`;
}
