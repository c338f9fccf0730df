import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { logPath } from "../execute/log-path.ts";
import { tasksNamed } from "./tasks-named.ts";
import { openProject, type CommonFlags } from "./options.ts";

/** The path of the last run's log on stderr, its content on stdout. */
export async function runLog(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const tasks = await tasksNamed(project, targets);
  const logs = tasks.map((task) => ({ id: task.id, path: logPath(task) }));
  const found = logs.filter(({ path }) => existsSync(join(project.pipeline.root, path)));
  if (found.length === 0) {
    throw new UserError({
      message: `${logs.length === 1 ? `${logs[0]?.id ?? ""} has` : `none of these ${logs.length} tasks has`} no log`,
      hint: "a task has one once it has run here",
    });
  }
  for (const { id, path } of found) {
    const text = readFileSync(join(project.pipeline.root, path), "utf8");
    if (flags.json) console.log(JSON.stringify({ type: "log", task: id, path, text }));
    else {
      process.stderr.write(`${id}: ${path}\n`);
      process.stdout.write(text);
    }
  }
  return 0;
}
