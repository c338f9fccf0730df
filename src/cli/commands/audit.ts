/** `lq audit`: shows files that tasks read or write and that their rules do not declare. */
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { realpathSync } from "node:fs";
import type { Recipe } from "../../fingerprint/recipe.ts";
import { absolute, isWithin } from "../../model/paths.ts";
import type { Task } from "../../model/model.ts";
import { refuseWithoutStrace, Traces, undeclared, type Access } from "../../run/audit.ts";
import { runInForeground } from "../../run/foreground.ts";
import type { Session } from "../../session/session.ts";
import { installation } from "../../system/installation.ts";
import { hashingOptions, openProject, type CommonFlags } from "../options.ts";
import { namedOf, planned } from "../tasks-named.ts";

export async function runAudit(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  refuseWithoutStrace();
  const { session, selected } = await planned(project, targets, hashingOptions(flags));
  const tasks = namedOf(selected, targets);
  let found = 0;
  let failed = 0;
  for (const task of tasks) {
    const { accesses, code } = await audited(session, task, flags);
    found += accesses.length;
    if (code !== 0) {
      failed += 1;
      process.stderr.write(`${task.id} ended with exit code ${code}\n`);
    }
    for (const access of accesses) tell(session.root, task, access, flags);
  }
  if (flags.json !== true && flags.quiet !== true && found === 0 && failed === 0)
    console.log(`${tasks.length} audited: they use what their rules declare`);
  return found + failed === 0 ? 0 : 1;
}

async function audited(
  session: Session,
  task: Task,
  { jobs, slots }: CommonFlags,
): Promise<{ readonly accesses: readonly Access[]; readonly code: number }> {
  const { root } = session;
  const traces = new Traces();
  try {
    const print = session.fingerprinter.fingerprint(task);
    const run = { task, how: "run", record: false, overwrite: false, jobs, slots, traces } as const;
    const { code, outputs } = await runInForeground(session, run);
    const declared = print.kind === "ready" ? declaredBy(root, task, print.recipe) : [];
    const made = outputs.map((path) => dirname(path.replace(/\/$/, "")));
    const accesses = undeclared(
      traces.accesses(root),
      root,
      [...declared, ...made],
      environmentOf(session, task),
    );
    return { code, accesses };
  } finally {
    traces.remove();
  }
}

/** Absolute paths of all files and folders that the rule declares for the task. */
function declaredBy(root: string, { rule, inputs }: Task, { action }: Recipe): readonly string[] {
  const code = action.code?.files.map(({ path }) => path) ?? [];
  return [...inputs, ...rule.code, ...code.map((path) => ({ path }))].map(({ path }) =>
    absolute(root, path.replace(/(.)\/$/, "$1")),
  );
}

/** Folders of the environment's programs and packages. */
function environmentOf({ root, environments }: Session, { rule }: Task): readonly string[] {
  const { venv } = rule.environment;
  const { conda, python } = environments.of(rule);
  const interpreters = rule.action.kind === "run" ? [process.execPath] : [python(), process.execPath];
  return [
    ...interpreters.map((path) => dirname(dirname(realpathSync(path)))),
    ...(venv === null ? [] : [absolute(root, venv.value)]),
    ...(conda === null ? [] : [conda]),
    ...[installation(), join(root, "node_modules"), join(homedir(), ".cache"), join(homedir(), ".local")],
  ];
}

function tell(root: string, { id }: Task, { access, path }: Access, { json }: CommonFlags): void {
  const shown = isWithin(root, path) ? relative(root, path) : path;
  if (json === true) return console.log(JSON.stringify({ type: "audit", task: id, access, path: shown }));
  if (access === "write")
    return console.log(`${id} writes ${shown}, which is not one of its outputs: add it to out:`);
  const line = /\.(py|R|r|jl|sh|bash)$/.test(shown) ? `code: ${shown}` : `it to in:`;
  console.log(`${id} reads ${shown}, which its rule does not declare: add ${line}`);
}
