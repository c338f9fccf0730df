/**
 * `lq why TARGET`: the state of what the target names, and the chain from it to what changed; of what is fresh,
 * why it last ran.
 */
import { explain } from "../decide/explain.ts";
import { builds, lastRuns } from "../history/builds.ts";
import type { TaskLine } from "../history/lines.ts";
import { painter, type Paint } from "../report/paint.ts";
import { status, type TaskStatus } from "../status.ts";
import { localTime } from "./local-time.ts";
import { hashingOptions, openProject, useColor, type CommonFlags } from "./options.ts";
import { reasonsOf, statusRecord } from "./status.ts";
import { tasksNamed } from "./tasks-named.ts";

export async function runWhy(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const project = openProject(flags);
  const named = await tasksNamed(project, targets);
  const byId = new Map(
    (await status({ ...project, targets, hashing: hashingOptions(flags) })).map((task) => [task.id, task]),
  );
  const paint = painter(useColor(process.stdout, flags.color));
  const runs = lastRuns(builds(project.pipeline.root));
  for (const { id } of named) {
    const links = chain(id, byId);
    if (flags.json) {
      const last = runs.get(id);
      const lastRun = last === undefined ? null : { build: last.build.number, ...last.run };
      console.log(JSON.stringify({ type: "why", task: id, chain: links.map(statusRecord), lastRun }));
      continue;
    }
    console.log(describe(links, paint));
    const last = links[0]?.freshness.state === "fresh" ? runs.get(id) : undefined;
    if (last !== undefined) console.log(describeLast(last.build.number, last.run));
  }
  return 0;
}

/** The task, the first one that it waits for, and so on to one with reasons of its own. */
function chain(id: string, byId: ReadonlyMap<string, TaskStatus>): readonly TaskStatus[] {
  const links: TaskStatus[] = [];
  for (
    let at = byId.get(id);
    at;
    at = at.freshness.state === "blocked" ? byId.get(at.freshness.on[0] ?? "") : undefined
  )
    links.push(at);
  return links;
}

function describeLast(build: number, { outcome, ended, reasons }: TaskLine): string {
  const why = reasons.map((reason) => `\n    ${explain(reason)}`).join("");
  return `  ${outcome === "restored" ? "restored" : "it last ran"} in build ${build}, ${localTime(ended)}${why && ", for"}${why}`;
}

function describe(links: readonly TaskStatus[], paint: Paint): string {
  return links.flatMap((link, depth) => describeLink(link, "  ".repeat(depth), paint)).join("\n");
}

function describeLink({ id, freshness }: TaskStatus, indent: string, paint: Paint): readonly string[] {
  const name = indent + paint("bold", id);
  switch (freshness.state) {
    case "fresh":
      return [`${name} is fresh: nothing that it depends on has changed`];
    case "blocked": {
      const { length } = freshness.on;
      return [`${name} waits for ${length === 1 ? "a task" : `${length} tasks, the first is`}`];
    }
    case "restorable":
      return [`${name} is restorable: the cache has what it would make`, ...reasons()];
    case "stale":
    case "missing":
    case "failed":
      return [`${name} is ${freshness.state}`, ...reasons()];
  }
  function reasons(): readonly string[] {
    return reasonsOf(freshness).map((reason) => `${indent}  ${explain(reason)}`);
  }
}
