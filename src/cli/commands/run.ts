/** `lq run TASK`: runs one task in this terminal. */
import { waitingText } from "../../events/running-build.ts";
import { runInForeground, type ForegroundRun } from "../../run/foreground.ts";
import { refuseProtected } from "../../run/protect.ts";
import { isSettled } from "../../plan/evaluate.ts";
import { clearLeftovers } from "../../session/leftovers.ts";
import { openSession, type Session } from "../../session/session.ts";
import { acquireLock } from "../../state/lock.ts";
import { UserError } from "../../model/errors.ts";
import type { Task } from "../../model/model.ts";
import { hashingOptions, openProject, type CommonFlags, type Project } from "../options.ts";
import { namedOf, planned } from "../tasks-named.ts";

interface RunFlags extends CommonFlags {
  readonly shell?: boolean;
  readonly print?: boolean;
  readonly record?: boolean;
}

export async function runRun(words: readonly string[], flags: RunFlags): Promise<number> {
  const project = openProject(flags);
  const record = flags.record === true;
  if (record && (flags.shell === true || flags.print === true))
    throw new UserError("--record is for a run of the task itself, not for a shell or a print");
  const how = flags.shell === true ? "shell" : flags.print === true ? "print" : "run";
  const run = async (session: Session, task: Task): Promise<ForegroundRun> =>
    runInForeground(session, {
      ...{ task, how, record, jobs: flags.jobs, slots: flags.slots },
      overwrite: flags.force === true,
    });
  if (record) {
    const ended = await recorded(project, words, flags, run);
    return tell(ended);
  }
  const { session, selected, plan } = await planned(project, words, hashingOptions(flags));
  const task = theOne(namedOf(selected, words), words);
  const stale = session.graph.dependencies(task).filter((each) => {
    const verdict = plan.verdicts.get(each);
    return verdict === undefined || !isSettled(verdict);
  });
  if (stale.length > 0)
    process.stderr.write(`warning: ${stale[0]?.id ?? ""} is not up to date: lq build ${words.join(" ")}\n`);
  return tell(await run(session, task));
}

async function recorded(
  { pipeline, cwd }: Project,
  targets: readonly string[],
  flags: RunFlags,
  run: (session: Session, task: Task) => Promise<ForegroundRun>,
): Promise<ForegroundRun> {
  const wait = (holder: string): void => void process.stderr.write(`${waitingText(pipeline.root, holder)}\n`);
  const lock = await acquireLock(pipeline.root, wait, new AbortController().signal);
  try {
    const notice = (text: string): void => void process.stderr.write(`${text}\n`);
    const session = openSession({ pipeline, cwd, targets }, { readonly: false, notice });
    try {
      const task = theOne(namedOf(await session.select(), targets), targets);
      if (flags.force !== true) refuseProtected(session, [task]);
      return await run(session, task);
    } finally {
      session.state.close();
    }
  } finally {
    clearLeftovers(pipeline.root);
    lock.release();
  }
}

function theOne(tasks: readonly Task[], words: readonly string[]): Task {
  const [task, another] = tasks;
  if (task !== undefined && another === undefined) return task;
  throw new UserError({
    message: `"${words.join(" ")}" names ${tasks.length} tasks; lq run runs one`,
    hint: `name an output or a task id, such as ${task?.id ?? ""}`,
  });
}

function tell({ code, outputs, missing, recorded }: ForegroundRun): number {
  if (code !== 0) process.stderr.write(`it ended with exit code ${code}\n`);
  else if (missing !== null) process.stderr.write(`${missing}\n`);
  else if (!recorded && outputs.length > 0)
    process.stderr.write(`nothing is recorded; it wrote to ${outputs.join(", ")}\n`);
  return code === 0 && missing !== null ? 1 : code;
}
