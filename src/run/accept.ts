/**
 * Accepting: what a task's last run left in place stands, because somebody says so, for the task as it is now. Nothing
 * runs; the action that is stored for the new key says that it was accepted, and under which key the outputs were made.
 */
import { statSync } from "node:fs";
import { moreLines } from "../model/cut-list.ts";
import { UserError } from "../model/errors.ts";
import { digestOfOutputs } from "../lockfile/lockfile.ts";
import type { Task } from "../model/model.ts";
import { absolute } from "../model/paths.ts";
import type { Action, StoredOutput } from "../store/action.ts";
import { outputState, type OutputState } from "../record/outputs.ts";
import type { Recorder } from "../record/record.ts";
import type { DoneRecord, WrittenOutput } from "../state/records.ts";
import type { DueTask } from "../plan/evaluate.ts";
import type { Judge, Plan } from "../plan/plan.ts";
import type { Session } from "../session/session.ts";

/** Tasks that are listed. */
const SHOWN = 20;

/** @returns a judge of tasks in the order of the walk */
export function judgeOf(session: Session): Judge {
  const accepted = new Map<string, { readonly id: string; readonly digest: string }>();
  return (due) => {
    const action = actionOf(session, due);
    if (typeof action === "string") return action;
    const [{ id }, digest] = [due.task, digestOfOutputs(action.outputs)];
    const twin = accepted.get(action.key);
    if (twin !== undefined && twin.digest !== digest)
      return `it is the same as ${twin.id} now, but its outputs differ`;
    accepted.set(action.key, { id, digest });
    return null;
  };
}

/** @throws UserError naming every task that cannot be accepted, as far as the walk has come to them */
export function refuseUnacceptable({ selected, failures }: Plan): void {
  if (failures.size === 0) return;
  const refused = [...selected.tasks].filter((task) => failures.has(task));
  const told = refused.slice(0, SHOWN).map((task) => ({
    message: `${task.id} cannot be accepted: ${failures.get(task)}`,
    hint: `lq build ${task.id}`,
  }));
  const rest = moreLines(failures.size, told.length, { hint: "lq accept -n lists all" });
  throw new UserError([...told, ...rest.map((message) => ({ message }))]);
}

/** @returns why not; null: it is accepted */
export async function accept(session: Session, recorder: Recorder, due: DueTask): Promise<string | null> {
  const action = actionOf(session, due);
  if (typeof action === "string") return action;
  await recorder.recordAccepted(due.task, action);
  return null;
}

/** What is to be stored for the task's key, or why nothing is. */
function actionOf(session: Session, { task, freshness: { key }, recipe }: DueTask): Action | string {
  const { root, state, store } = session;
  const last = state.last(task.id);
  if (last === undefined)
    return state.lastFailure(task.id) === undefined ? "it was never built" : "no run of it has ended well";
  const before = last.key === null ? undefined : store.action(last.key);
  if (before === undefined || !isDeclaredAs(task, last, before))
    return before === undefined
      ? "nothing is on record of what its outputs were made from"
      : "its outputs are declared otherwise than in its last run";
  for (const { path } of task.outputs) {
    const found = outputState(session, task.id, path);
    if (found !== "intact") return `its output ${path} ${WORDS[found]}`;
  }
  const { seconds } = last;
  const { finished, accepted } = before;
  return {
    key,
    recipe,
    outputs: last.outputs.map((output) => stored(root, output)),
    seconds,
    finished,
    accepted: { at: Date.now(), key: accepted?.key ?? before.key },
  };
}

const WORDS: { readonly [state in Exclude<OutputState, "intact">]: string } = {
  missing: "is missing",
  replaced: "is not that of its last run",
  edited: "was edited since lq wrote it",
  unreadable: "cannot be read",
  foreign: "was not made by lq",
};

/** By roles, paths and order, whatever the names on record: they may be those of another task with the same key. */
function isDeclaredAs({ outputs }: Task, last: DoneRecord, { recipe }: Action): boolean {
  return (
    outputs.length === last.outputs.length &&
    outputs.every(({ role, path }, i) => role === recipe.outputs[i]?.role && path === last.outputs[i]?.path)
  );
}

function stored(root: string, output: WrittenOutput): StoredOutput {
  const { digest } = output;
  const isExecutable = (name: string): boolean =>
    (statSync(absolute(root, output.path + name)).mode & 0o100) !== 0;
  if (output.kind === "file") return { kind: "file", digest, executable: isExecutable("") };
  const entries = output.entries.map(({ name, digest: part }) => {
    return { name, digest: part, executable: isExecutable(name) };
  });
  return { kind: "directory", digest, entries };
}
