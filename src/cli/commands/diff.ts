/**
 * `lq diff A [B]`: compares two recorded runs. `TARGET@BUILD` is a target's run at the end of a build, `TARGET` its
 * present run, and `@BUILD` the first target in another build. One target alone is compared with its run before.
 */
import type { Session } from "../../session/session.ts";
import { explainInFull } from "../../decide/explain.ts";
import { UserError } from "../../model/errors.ts";
import { buildNumbered, builds } from "../../history/builds.ts";
import type { Distance, Numbers } from "../../inspect/content.ts";
import { difference, RecordedRuns, type Difference, type RecordedRun } from "../../inspect/difference.ts";
import { firstLines, moreLines } from "../../model/cut-list.ts";
import { painter, type Paint } from "../../report/paint.ts";
import { acceptedText } from "../accepted.ts";
import { openProject, useColor, type CommonFlags, type Project } from "../options.ts";
import { print } from "../print.ts";
import { planned } from "../tasks-named.ts";

/** How many lines of a text, outputs of a task, and tasks before it to show at most; and how many reasons. */
const SHOWN = 8;
const REASONS = 20;

export async function runDiff([first, second]: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const a = operand(first ?? "");
  const b = second === undefined ? undefined : operand(second);
  if (a.target === "")
    throw new UserError({ message: `"${first}" names no target`, hint: `as in lq diff TARGET${first} @2` });
  for (const { build } of [a, ...(b ? [b] : [])])
    if (build !== null) buildNumbered(project.pipeline.root, build);
  const { session, task } = await sessionFor(project, a.target);
  const runs = new RecordedRuns(session, [...builds(session.root)]);
  let [before, after]: [RecordedRun, RecordedRun] = [
    runs.get(task, a.build),
    runs.get(task, b?.build ?? null),
  ];
  if (b === undefined && a.build === null) before = runs.previous(task);
  if (b !== undefined && b.target !== "") {
    const other = await sessionFor(project, b.target);
    after = runs.get(session.graph.task(other.task.id) ?? other.task, b.build);
  }
  const found = difference(session, runs, before, after);
  const ends = [before, after].map(({ task: { id }, build, action: { accepted = null } }) => {
    return { task: id, build, accepted };
  });
  if (flags.json === true) console.log(JSON.stringify({ type: "diff", ends, ...found }));
  else
    print(
      [heading(before, after), ...describe(found, painter(useColor(process.stdout, flags.color)))].join("\n"),
    );
  return 0;
}

function operand(text: string): { readonly target: string; readonly build: number | null } {
  const match = /^(.*)@(\d+)$/s.exec(text);
  return match ? { target: match[1] ?? "", build: Number(match[2]) } : { target: text, build: null };
}

async function sessionFor(
  project: Project,
  target: string,
): Promise<{ session: Session; task: RecordedRun["task"] }> {
  const { session, selected } = await planned(project, [target]);
  const [task, ...others] = selected.named;
  if (task !== undefined && others.length === 0) return { session, task };
  throw new UserError({
    message: `"${target}" names ${selected.named.size} tasks; lq diff compares one task with one task`,
    hint: "name an output or a task id",
  });
}

function heading(before: RecordedRun, after: RecordedRun): string {
  const name = ({ task, build, action: { accepted } }: RecordedRun) =>
    `${task.id} ${build === null ? "now" : `in build ${build}`}${accepted ? ` (${acceptedText(accepted)})` : ""}`;
  return `${name(before)} → ${name(after)}`;
}

function describe(found: Difference, paint: Paint, indent = ""): string[] {
  if (found.same) return [`${indent}the same run`];
  const inner = `${indent}  `;
  const outputs = found.outputs
    .slice(0, SHOWN)
    .flatMap(({ path, distance }) => [
      `${inner}output ${path}: ${distance === null ? "not in the cache on both sides" : words(distance)}`,
      ...(distance?.kind === "text"
        ? [
            ...distance.removed.slice(0, SHOWN).map((line) => paint("red", `${inner}  - ${line}`)),
            ...distance.added.slice(0, SHOWN).map((line) => paint("green", `${inner}  + ${line}`)),
          ]
        : []),
    ]);
  return [
    `${indent}${paint("bold", found.task)}`,
    ...firstLines(found.reasons, REASONS, explainInFull).map((line) => inner + line),
    ...outputs,
    ...moreLines(found.outputs.length, SHOWN, { noun: "outputs" }).map((line) => inner + line),
    ...(found.outputs.length === 0 ? [`${inner}outputs: the same`] : []),
    ...found.from.slice(0, SHOWN).flatMap((each) => describe(each, paint, inner)),
    ...moreLines(found.from.length, SHOWN, { noun: "tasks before it" }).map((line) => inner + line),
  ];
}

function words(distance: Distance): string {
  switch (distance.kind) {
    case "same":
      return "the same";
    case "only":
      return `only ${distance.side}`;
    case "json":
      return numbersText(distance) + othersText(distance.others, "other value");
    case "arrays":
      return numbersText(distance) + othersText(distance.others, "array");
    case "text": {
      const { removed, added, numbers } = distance;
      const lines = `${removed.length} ${removed.length === 1 ? "line" : "lines"} removed, ${added.length} added`;
      return numbers === null ? lines : `${lines}; ${numbersText(numbers)}`;
    }
    case "bytes": {
      const [a, b] = distance.sizes;
      if (distance.differing === null) return a === b ? `different, ${a} bytes each` : `${a} → ${b} bytes`;
      return `${distance.differing} of ${a} bytes differ (${((100 * distance.differing) / a).toFixed(1)} %)`;
    }
  }
}

function numbersText({ numbers, of, most }: Numbers): string {
  return `${numbers} of ${of} numbers differ, by at most ${Number(most.toPrecision(4))}`;
}

function othersText(others: number, what: string): string {
  return others === 0 ? "" : `; ${others} ${what}${others === 1 ? " differs" : "s differ"}`;
}
