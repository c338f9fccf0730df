/**
 * Protects what is not lq's: lq replaces an output only if it wrote what is there, or if its cache has the content.
 * It refuses everything else before anything runs, unless the user allows it with -f.
 */
import { lstatSync, readlinkSync } from "node:fs";
import { UserError, type Diagnostic } from "../model/errors.ts";
import type { Reason } from "../model/freshness.ts";
import type { Task } from "../model/model.ts";
import { absolute, ancestors } from "../model/paths.ts";
import {
  differingFile,
  isLinkedFolder,
  isProtected,
  outputState,
  recordedOutputState,
  whyUnreadable,
  type ProtectedState,
} from "../record/outputs.ts";
import type { Session } from "../session/session.ts";

/** @throws UserError with every output of these tasks that lq must not replace */
export function refuseProtected(session: Session, tasks: Iterable<Task>, isDue = ALWAYS): void {
  const diagnostics = protectedOutputs(session, tasks, isDue);
  if (diagnostics.length > 0) throw new UserError(diagnostics);
}

const ALWAYS = (_: Task): boolean => true;

/**
 * @param isDue whether it is known that a task has to run. Until then, files that somebody added to an output folder
 *   stop nothing: if the task has to run after all, it fails.
 */
export function protectedOutputs(
  session: Session,
  tasks: Iterable<Task>,
  isDue: (task: Task) => boolean,
): readonly Diagnostic[] {
  const folders = new Map<string, string | null>();
  return [...tasks].flatMap((task) =>
    task.outputs.flatMap(({ path }) => {
      const state = outputState(session, task.id, path);
      if (state === "extended" && !isDue(task)) return [];
      if (isProtected(state)) return protectedMessage(session, task, path, state);
      return blockedPlace(session, task, path, folders) ?? [];
    }),
  );
}

/** Says why a task that is due for this reason must not run; null: it may run. */
export function refusalOf(task: Task, reason: Reason): string | null {
  if (reason.kind === "output-edited") return editedMessage(task, reason.path).message;
  if (reason.kind === "output-foreign") return foreignMessage(task, reason.path).message;
  return reason.kind === "output-unreadable" ? reason.why : null;
}

function protectedMessage(session: Session, task: Task, path: string, state: ProtectedState): Diagnostic {
  const file = differingFile(session, task.id, path);
  if (state === "foreign" || state === "extended") return foreignMessage(task, file);
  const unreadable = state === "unreadable" ? whyUnreadable(session, path) : null;
  return unreadable ?? editedMessage(task, file);
}

function editedMessage(task: Task, path: string): Diagnostic {
  return {
    message: `${path} was edited since lq wrote it, and ${task.id} would overwrite it`,
    hint: "to keep the edit, copy the file elsewhere first; build with -f to overwrite it",
  };
}

function foreignMessage(task: Task, path: string): Diagnostic {
  return {
    message: `${path} was not made by lq, and ${task.id} would replace it`,
    hint: "to keep it, move it away or give the rule another output; build with -f to replace it",
  };
}

/** Finds an output that would replace a link to a folder, or whose folder is a file that lq must not remove. */
function blockedPlace(
  session: Session,
  task: Task,
  path: string,
  folders: Map<string, string | null>,
): Diagnostic | null {
  const { root } = session;
  const place = absolute(root, path).replace(/\/$/, "");
  if (isLinkedFolder(root, path))
    return {
      message: `${path} is a symbolic link to ${readlinkSync(place)}; ${task.id} would replace the link by a folder`,
      hint: "let the rule write below the link, as in out: results/run/; build with -f to replace the link",
    };
  const [parent = ""] = ancestors(path);
  const known = folders.get(parent);
  const file = known === undefined ? fileAbove(session, path) : known;
  folders.set(parent, file);
  if (file === null) return null;
  return {
    message: `${path} cannot be put in place: ${file} is a file that lq did not make, or that was edited`,
    hint: "move this file away",
  };
}

/**
 * Finds a file of the user where the path needs a folder. A file that lq made there does not matter: lq removes it
 * before the task runs.
 */
function fileAbove(session: Session, path: string): string | null {
  const { root, state } = session;
  for (const folder of ancestors(path)) {
    const bare = folder.slice(0, -1);
    const stats = lstatSync(absolute(root, bare), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.isDirectory() || stats.isSymbolicLink()) return null;
    const made = state.owner(bare)?.output;
    return made !== undefined && recordedOutputState(session, made) === "intact" ? null : bare;
  }
  return null;
}
