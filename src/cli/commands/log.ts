/** `lq log TARGET`: prints the log of a task's last run to stdout, and the log's path to stderr. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../model/errors.ts";
import { runningBuild, runningFor } from "../../events/running-build.ts";
import { commandField } from "../../fingerprint/render-command.ts";
import { logPath } from "../../execute/log-path.ts";
import { commandLines } from "../../report/lines.ts";
import { printableLine, withoutColour } from "../../report/printable.ts";
import { openProject, useColor, type CommonFlags } from "../options.ts";
import { tasksNamed } from "../tasks-named.ts";

export async function runLog(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const tasks = await tasksNamed(project, targets);
  const logs = tasks.flatMap((task) => {
    const path = logPath(task);
    const text = read(join(project.pipeline.root, path));
    return text === undefined ? [] : [{ task: task.id, path, ...commandField(task), text }];
  });
  if (logs.length === 0) {
    const [one, ...others] = tasks;
    throw new UserError({
      message:
        others.length === 0
          ? `there is no log of ${one?.id}`
          : `there is no log of any of these ${tasks.length} tasks`,
      hint: "a task has a log if its last run in this project printed something",
    });
  }
  const running = runningBuild(project.pipeline.root);
  for (const { task, path, command, text } of logs) {
    if (flags.json) {
      console.log(JSON.stringify({ type: "log", task, path, command, text }));
      continue;
    }
    const attempt = running?.progress.running.find(({ id }) => id === task);
    const now = running && attempt ? ` (running now, ${runningFor(running.progress, attempt)})` : "";
    console.error(printableLine(`${task}: ${path}${now}`));
    for (const line of commandLines(command)) console.error(printableLine(line));
    process.stdout.write(useColor(process.stdout, flags.color) ? text : withoutColour(text));
  }
  return 0;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
