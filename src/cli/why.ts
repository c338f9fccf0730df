import { explain } from "../decide/explain.ts";
import { status, type TaskStatus } from "../status.ts";
import { openProject, type CommonFlags } from "./options.ts";
import { tasksNamed } from "./tasks-named.ts";

/** The state of what a target names, its reasons, and below it the chain of what it waits for. */
export async function runWhy(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const named = new Set((await tasksNamed(project, targets)).map(({ id }) => id));
  const byId = new Map((await status({ ...project, targets })).map((task) => [task.id, task]));
  const wanted = [...byId.values()].filter(({ id }) => named.has(id));
  for (const task of wanted) {
    const links = chain(task, byId);
    if (flags.json) console.log(JSON.stringify({ type: "why", task: task.id, chain: links }));
    else console.log(describe(links));
  }
  return 0;
}

/** The task, the first task it waits for, and so on to one with reasons of its own. */
function chain(task: TaskStatus, byId: ReadonlyMap<string, TaskStatus>): TaskStatus[] {
  const links: TaskStatus[] = [];
  for (let at: TaskStatus | undefined = task; at && !links.includes(at);) {
    links.push(at);
    at = at.freshness.state === "blocked" ? byId.get(at.freshness.on[0] ?? "") : undefined;
  }
  return links;
}

function describe(links: readonly TaskStatus[]): string {
  return links
    .flatMap(({ id, freshness }, depth) => {
      const indent = "  ".repeat(depth);
      if (freshness.state === "blocked") {
        const n = freshness.on.length;
        return [`${indent}${id} waits for ${n === 1 ? "a task" : `${n} tasks, the first:`}`];
      }
      const reasons = "reasons" in freshness ? freshness.reasons.map(explain) : [];
      return [`${indent}${id} is ${freshness.state}`, ...reasons.map((reason) => `${indent}  ${reason}`)];
    })
    .join("\n");
}
