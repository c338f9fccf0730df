/**
 * `lq why TARGET`: shows the state of the target's tasks, and the chains from them down to every change, with the
 * values before and after. For a fresh task it shows why it last ran.
 */
import type { Session } from "../../session/session.ts";
import { commandField } from "../../fingerprint/render-command.ts";
import { commandLines } from "../../report/lines.ts";
import { explainInFull, textIn } from "../../decide/explain.ts";
import { builds, lastRuns } from "../../history/builds.ts";
import { causesOf, rootsOf, type Cause, type TaskFacts, type LastRun } from "../../inspect/causes.ts";
import type { Reason } from "../../model/freshness.ts";
import { andMore, firstLines, firstNames, moreLines } from "../../model/cut-list.ts";
import { hasValues, ruleOf, valueParts } from "../../model/task-id.ts";
import { painter, type Paint } from "../../report/paint.ts";
import { statusOf, type TaskStatus, reasonsOf } from "../../plan/status.ts";
import { acceptedOf, acceptedText } from "../accepted.ts";
import { localTime } from "../local-time.ts";
import { hashingOptions, openProject, useColor, type CommonFlags } from "../options.ts";
import { print } from "../print.ts";
import { statusRecord } from "./status.ts";
import { namedOf, planned } from "../tasks-named.ts";

/** How many causes to list below one task at most. */
const SHOWN = 8;
/** The states of tasks that a build would run. */
const RUNS: ReadonlySet<string> = new Set(["stale", "missing", "failed"]);

export async function runWhy(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const { session, selected, plan } = await planned(project, targets, hashingOptions(flags));
  const byId = new Map(statusOf(plan).map((task) => [task.id, task]));
  const runs = lastRuns(builds(project.pipeline.root));
  const known: TaskFacts = {
    status: (id) => byId.get(id),
    lastRun: (id) => runs.get(id),
    maker: (path) => session.graph.producer(path)?.id,
  };
  const paint = painter(useColor(process.stdout, flags.color));
  for (const { id } of namedOf(selected, targets)) {
    if (flags.json) {
      const last = runs.get(id);
      const lastRun = last === undefined ? null : { build: last.build.number, ...last.run };
      const [chain, causes] = [firstChain(id, known), rootsOf(id, known)].map((tasks) =>
        tasks.map((task) => statusRecord(task, session.graph)),
      );
      const accepted = acceptedOf(session, id);
      console.log(JSON.stringify({ type: "why", task: id, chain, causes, lastRun, accepted }));
      continue;
    }
    const cause = causesOf(id, known);
    if (cause !== undefined) print(new CauseWriter(session, paint).target(cause).join("\n"));
  }
  return 0;
}

/** The task, the first task that it waits for, and so on to a task with reasons of its own. */
function firstChain(id: string, { status }: TaskFacts): readonly TaskStatus[] {
  const links: TaskStatus[] = [];
  for (
    let at = status(id);
    at;
    at = at.freshness.state === "pending" ? status(at.freshness.on[0] ?? "") : undefined
  )
    links.push(at);
  return links;
}

/** Writes causes as text. */
class CauseWriter {
  readonly #session: Pick<Session, "graph" | "state" | "store">;
  readonly #paint: Paint;

  constructor(session: Pick<Session, "graph" | "state" | "store">, paint: Paint) {
    this.#session = session;
    this.#paint = paint;
  }

  /** @param name shown in place of the task's name */
  lines(cause: Cause, indent = "", name = this.#nameOf(cause)): string[] {
    const { told, from } = cause;
    if (told) return [`${indent}${name} (shown above)`];
    const [first = "", ...reasons] = this.#own(cause, name);
    const inner = `${indent}  `;
    return [
      indent + first,
      ...firstLines(reasons, SHOWN, (reason) => reason).map((line) => inner + line),
      ...from.slice(0, SHOWN).flatMap((each) => this.lines(each, inner)),
      ...moreLines(from.length, SHOWN).map((line) => inner + line),
    ];
  }

  /** The text for the target itself. */
  target(cause: Cause): string[] {
    const accepted = acceptedOf(this.#session, cause.task.id);
    const task = this.#session.graph.task(cause.task.id);
    const mark = [
      ...(accepted === null ? [] : [`  its outputs were ${acceptedText(accepted)}`]),
      // A task that is fresh or waits for others is not explained by its command.
      ...(RUNS.has(cause.task.freshness.state) ? commandLines(commandField(task).command) : []),
    ];
    if (cause.run === null) return [...this.lines(cause), ...mark];
    const fresh = this.lines({ ...cause, run: null, from: [] });
    return [...fresh, ...this.lines(cause, "  ", "it last"), ...mark];
  }

  #nameOf({ task: { id, rule }, more }: Cause): string {
    return this.#paint("bold", id) + (more > 0 ? ` ${andMore(more, `of ${rule}`)}` : "");
  }

  #own({ task: { id, freshness }, run, more }: Cause, name: string): string[] {
    const is = more > 0 ? "are" : "is";
    const reasons = (run?.run.reasons ?? reasonsOf(freshness)).map((reason) =>
      freshness.state === "restorable" && reason.kind === "never-built"
        ? textIn(reason, freshness.state)
        : this.#reason(id, reason),
    );
    switch (freshness.state) {
      case "fresh":
        if (run === null) return [`${name} ${is} fresh: nothing that it depends on has changed`];
        return [
          `${name} ${ended(run, more > 0)} in build ${run.build.number}, ${localTime(run.run.ended)}, for`,
          ...reasons,
        ];
      case "pending": {
        const { lacks } = freshness;
        if (lacks.length > 0)
          return [
            `${name} cannot run: ${firstNames(lacks, SHOWN)} ${lacks.length === 1 ? "is" : "are"} not there`,
          ];
        const { length } = freshness.on;
        return [`${name} ${more > 0 ? "wait" : "waits"} for ${length === 1 ? "a task" : `${length} tasks`}`];
      }
      case "restorable":
        return [`${name} ${is} restorable: the cache has what it would make`, ...reasons];
      case "stale":
      case "missing":
      case "failed":
        return [`${name} ${is} ${freshness.state}`, ...reasons];
    }
  }

  #reason(id: string, reason: Reason): string {
    const told = explainInFull(reason);
    if (reason.kind === "never-built") return told + this.#newValues(id);
    if (reason.kind !== "file" || reason.change !== "removed") return told;
    const owner = this.#session.state.owner(reason.path)?.id;
    const isGone = owner !== undefined && this.#session.graph.task(owner) === undefined;
    return isGone ? `${told}; ${owner} is no task any more` : told;
  }

  /** For a task that was never built: the axis values that no built task of the rule has. */
  #newValues(id: string): string {
    const { graph, state } = this.#session;
    const task = graph.task(id);
    if (task === undefined) return "";
    const { name, each } = task.rule;
    const built = [...state.ids()].filter((other) => hasValues(other) && ruleOf(other) === name);
    const values = built.map(valueParts);
    if (values.length === 0) return "";
    const fresh = task.bindings.flatMap(({ text }, i) =>
      values.some((others) => others[i] === text) ? [] : [`${each[i]?.name} ${text}`],
    );
    return fresh.length > 0 ? `: ${fresh.join(", ")} is new` : "";
  }
}

function ended({ run: { outcome } }: LastRun, many: boolean): string {
  if (outcome !== "restored" && outcome !== "accepted") return outcome;
  return `${many ? "were" : "was"} ${outcome}`;
}
