/**
 * Finds the first causes of stale tasks, or of the tasks that a build ran: the changes, and how many tasks each of them
 * reaches. A changed output of a task is no first cause: the cause is the change that made that task run.
 */
import { causeOf, explain } from "../../decide/explain.ts";
import type { Reason } from "../../model/freshness.ts";
import type { Json } from "../../model/model.ts";
import type { CauseView } from "../messages.ts";

/** Why a task runs. */
export interface WhyTasksRun {
  readonly task: string;
  readonly rule: string;
  readonly reasons: readonly Reason[];
  /** Tasks that it waits for. Their causes are also causes of this task. */
  readonly after: readonly string[];
}

/** How many causes the answer has at most. */
const MOST = 40;
/** How many causes of a task count for the tasks behind it. The rest is left out. */
const MOST_OF_A_TASK = 12;

/** @param maker the task that makes a path */
export function firstCauses(
  all: Iterable<WhyTasksRun>,
  maker: (path: string) => string | undefined,
): readonly CauseView[] {
  const tasks = new Map([...all].map((why) => [why.task, why]));
  const found = new Map<string, { reason: Reason; tasks: number; example: string }>();
  const causes = new Map<string, ReadonlySet<string>>();
  const behind = ({ reasons, after }: WhyTasksRun): readonly string[] => [
    ...after,
    ...reasons.flatMap((reason) => (reason.kind === "file" ? (maker(reason.path) ?? []) : [])),
  ];
  for (const why of afterThoseBehind(tasks, behind)) {
    const own = new Set<string>();
    for (const reason of why.reasons) {
      const made = reason.kind === "file" ? maker(reason.path) : undefined;
      if (made !== undefined && tasks.has(made)) continue;
      const name = causeOf(reason, why.rule);
      own.add(name);
      if (!found.has(name)) found.set(name, { reason, tasks: 0, example: why.task });
    }
    for (const other of behind(why)) for (const each of causes.get(other) ?? []) own.add(each);
    const kept = new Set([...own].slice(0, MOST_OF_A_TASK));
    causes.set(why.task, kept);
    for (const name of kept) found.get(name)!.tasks += 1;
  }
  return [...found.values()]
    .sort((a, b) => b.tasks - a.tasks)
    .slice(0, MOST)
    .map(({ reason, tasks: count, example }) => ({ ...viewOf(reason), tasks: count, example }));
}

/**
 * Gives each task after the tasks that it waits for. It keeps its own stack, because chains may exceed the call stack.
 */
function* afterThoseBehind(
  tasks: ReadonlyMap<string, WhyTasksRun>,
  behind: (why: WhyTasksRun) => readonly string[],
): Generator<WhyTasksRun> {
  const seen = new Set<string>();
  const entered = new Set<string>();
  for (const start of tasks.keys()) {
    const stack = [start];
    while (stack.length > 0) {
      const id = stack.at(-1) ?? "";
      const why = tasks.get(id);
      if (seen.has(id) || why === undefined) {
        stack.pop();
        continue;
      }
      const first = !entered.has(id);
      entered.add(id);
      const open = first ? behind(why).filter((each) => tasks.has(each) && !entered.has(each)) : [];
      if (open.length > 0) stack.push(...open);
      else {
        seen.add(id);
        stack.pop();
        yield why;
      }
    }
  }
}

function viewOf(reason: Reason): Omit<CauseView, "tasks" | "example"> {
  const text = explain(reason);
  switch (reason.kind) {
    case "param":
      return { text, kind: "params", what: reason.path, ...ends(reason.before, reason.after) };
    case "file":
      return { text, kind: "file", what: reason.path, ...digests(reason) };
    case "code":
      return { text, kind: "code", what: reason.file, ...digests(reason) };
    case "package":
    case "env":
    case "tool":
      return { text, kind: reason.kind, what: reason.name, before: reason.before, after: reason.after };
    case "command":
      return { text, kind: "command", what: "", before: reason.before, after: reason.after };
    case "never-built":
    case "forced":
    case "failed-before":
    case "declaration":
    case "output-missing":
    case "output-replaced":
    case "output-edited":
    case "output-foreign":
    case "output-unreadable":
      return { text, kind: reason.kind, what: "", before: null, after: null };
  }
}

const DIGITS = 8;

function digests({ before, after }: { readonly before?: string; readonly after?: string }) {
  return { before: before?.slice(0, DIGITS) ?? null, after: after?.slice(0, DIGITS) ?? null };
}

function ends(before: Json | undefined, after: Json | undefined) {
  const text = (value: Json | undefined): string | null =>
    value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value);
  return { before: text(before), after: text(after) };
}
