/**
 * Accepts outputs: the user says that the outputs of a task's last run are right for the task as it is now. Nothing
 * runs. The action that lq stores for the new key says that it was accepted, and under which key the outputs were made.
 */
import { statSync } from "node:fs";
import { moreLines } from "../model/cut-list.ts";
import { UserError } from "../model/errors.ts";
import { digestOfOutputs } from "../lockfile/lockfile.ts";
import type { Disk } from "../files/disk.ts";
import { treeDigest } from "../fingerprint/tree.ts";
import type { Task } from "../model/model.ts";
import { absolute } from "../model/paths.ts";
import type { Action, StoredOutput } from "../store/action.ts";
import { outputState, type OutputState } from "../record/outputs.ts";
import type { Recorder } from "../record/record.ts";
import type { DoneRecord, WrittenOutput } from "../state/records.ts";
import type { DueTask } from "../plan/evaluate.ts";
import type { Plan, PreviewTask } from "../plan/plan.ts";
import type { Session } from "../session/session.ts";

/** How many refused tasks an error lists. */
const SHOWN = 20;

/** Previews tasks in the order of the walk: outputs of a task that can be accepted stay as they are. */
export function previewAcceptance(session: Session): PreviewTask {
  const accepted = new Map<string, { readonly id: string; readonly digest: string }>();
  return (due) => {
    const acceptance = acceptanceOf(session, due);
    if (acceptance.kind === "refused") return { kind: "failed", error: acceptance.why };
    const { key, outputs } = acceptance.action;
    const digest = digestOfOutputs(outputs);
    const other = accepted.get(key);
    if (other !== undefined && other.digest !== digest)
      return { kind: "failed", error: `it is the same as ${other.id} now, but its outputs differ` };
    accepted.set(key, { id: due.task.id, digest });
    return { kind: "as-is" };
  };
}

/** @throws UserError with every task that cannot be accepted, as far as the walk came to them */
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

/** @returns why the task cannot be accepted; null: it was */
export async function accept(session: Session, recorder: Recorder, due: DueTask): Promise<string | null> {
  const acceptance = acceptanceOf(session, due);
  if (acceptance.kind === "refused") return acceptance.why;
  await recorder.recordAccepted(due.task, acceptance.action);
  return null;
}

/** The action to store for the task's key, or why none can be stored. */
type Acceptance =
  | { readonly kind: "acceptable"; readonly action: Action }
  | { readonly kind: "refused"; readonly why: string };

function acceptanceOf(session: Session, { task, key, recipe }: DueTask): Acceptance {
  const { root, state, store } = session;
  const last = state.last(task.id);
  if (last === undefined)
    return refused(
      state.lastFailure(task.id) === undefined ? "it was never built" : "no run of it has ended well",
    );
  const before = last.key === null ? undefined : store.action(last.key);
  if (before === undefined) return refused("lq has no record of what its outputs were made from");
  if (!isDeclaredAs(task, last, before)) return refused("its declared outputs are not those of its last run");
  for (const { path } of task.outputs) {
    const found = outputState(session, task.id, path);
    if (found !== "intact") return refused(`its output ${path} ${WORDS[found]}`);
  }
  const { seconds } = last;
  const { finished, accepted } = before;
  const { ignore } = session.files.disk;
  const outputs = last.outputs.map((output) => stored(root, ignore, output));
  const claim = { at: Date.now(), key: accepted?.key ?? before.key };
  return { kind: "acceptable", action: { key, recipe, outputs, seconds, finished, accepted: claim } };
}

function refused(why: string): Acceptance {
  return { kind: "refused", why };
}

const WORDS: { readonly [state in Exclude<OutputState, "intact">]: string } = {
  missing: "is missing",
  extended: "has files in it that lq did not make",
  replaced: "is not that of its last run",
  edited: "was edited since lq wrote it",
  unreadable: "cannot be read",
  foreign: "was not made by lq",
};

/** Compares roles, paths and order. The recorded names may belong to another task with the same key. */
function isDeclaredAs({ outputs }: Task, last: DoneRecord, { recipe }: Action): boolean {
  return (
    outputs.length === last.outputs.length &&
    outputs.every(({ role, path }, i) => role === recipe.outputs[i]?.role && path === last.outputs[i]?.path)
  );
}

/** Leaves out files that never count: nobody has compared them with what the task made. */
function stored(root: string, ignore: Disk["ignore"], output: WrittenOutput): StoredOutput {
  const { digest } = output;
  const isExecutable = (name: string): boolean =>
    (statSync(absolute(root, output.path + name)).mode & 0o100) !== 0;
  if (output.kind === "file") return { kind: "file", digest, executable: isExecutable("") };
  const counted = output.entries.filter(({ name }) => !ignore.covers(output.path, name));
  const entries = counted.map(({ name, digest: part }) => {
    return { name, digest: part, executable: isExecutable(name) };
  });
  return { kind: "directory", digest: treeDigest(entries), entries };
}
