/**
 * `lq diff A [B]`: two recorded runs compared. Each is a target, as of the end of a build (`TARGET@BUILD`) or as it
 * stands now; `@BUILD` alone is the first's target in another build. With one target alone: its run before, and now.
 */
import type { Session } from "../build/session.ts";
import { explain } from "../decide/explain.ts";
import { UserError } from "../errors.ts";
import { builds } from "../history/builds.ts";
import type { Distance } from "../inspect/content.ts";
import { difference, Runs, type Difference, type Run } from "../inspect/difference.ts";
import { painter, type Paint } from "../report/paint.ts";
import { openProject, useColor, type CommonFlags, type Project } from "./options.ts";
import { planned } from "./tasks-named.ts";

/** Lines of a text, and outputs of a task, that are shown. */
const SHOWN = 8;

export async function runDiff([first, second]: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const a = operand(first ?? "");
  const b = second === undefined ? undefined : operand(second);
  const { session, task } = await sessionFor(project, a.target);
  const runs = new Runs(session, [...builds(session.root)]);
  let [before, after]: [Run, Run] = [runs.get(task, a.build), runs.get(task, b?.build ?? null)];
  if (b === undefined && a.build === null) before = runs.previous(task);
  if (b !== undefined && b.target !== "") {
    const other = await sessionFor(project, b.target);
    after = runs.get(session.graph.task(other.task.id) ?? other.task, b.build);
  }
  const found = difference(session, runs, before, after);
  const ends = [before, after].map(({ task: { id }, build }) => ({ task: id, build }));
  if (flags.json === true) console.log(JSON.stringify({ type: "diff", ends, ...found }));
  else
    console.log(
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
): Promise<{ session: Session; task: Run["task"] }> {
  const { session, selected } = await planned(project, [target]);
  const [task, ...others] = selected.named;
  if (task !== undefined && others.length === 0) return { session, task };
  throw new UserError({
    message: `"${target}" names ${selected.named.size} tasks; lq diff compares one with one`,
    hint: "name an output or a task id",
  });
}

function heading(before: Run, after: Run): string {
  const name = ({ task, build }: Run) => `${task.id} ${build === null ? "now" : `in build ${build}`}`;
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
  const more = found.outputs.length - SHOWN;
  return [
    `${indent}${paint("bold", found.task)}`,
    ...found.reasons.map((reason) => `${inner}${explain(reason)}`),
    ...outputs,
    ...(more > 0 ? [`${inner}and ${more} more outputs`] : []),
    ...(found.outputs.length === 0 ? [`${inner}outputs: the same`] : []),
    ...found.from.flatMap((each) => describe(each, paint, inner)),
  ];
}

function words(distance: Distance): string {
  switch (distance.kind) {
    case "same":
      return "the same";
    case "json":
      return `${distance.numbers} of ${distance.of} numbers differ, by at most ${Number(distance.most.toPrecision(4))}${distance.others > 0 ? `; ${distance.others} other values differ` : ""}`;
    case "text": {
      const { length } = distance.removed;
      return `${length} ${length === 1 ? "line" : "lines"} gone, ${distance.added.length} new`;
    }
    case "bytes": {
      const [a, b] = distance.sizes;
      if (distance.differing === null) return `${a} → ${b} bytes`;
      return `${distance.differing} of ${a} bytes differ (${((100 * distance.differing) / a).toFixed(1)} %)`;
    }
  }
}
