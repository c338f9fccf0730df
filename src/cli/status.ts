import { explain } from "../decide/explain.ts";
import type { Freshness } from "../model.ts";
import { status, type TaskStatus } from "../status.ts";
import { openProject, type CommonFlags } from "./options.ts";

type State = Freshness["state"];
const STATES: readonly State[] = ["fresh", "stale", "missing", "restorable", "blocked", "failed"];

export async function runStatus(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const { pipeline, cwd } = openProject(flags);
  const tasks = await status({ pipeline, cwd, targets });
  if (flags.json) {
    for (const { id, freshness } of tasks) {
      const reasons = "reasons" in freshness ? freshness.reasons.map(explain) : [];
      const on = freshness.state === "blocked" ? { on: freshness.on } : {};
      console.log(JSON.stringify({ type: "status", task: id, state: freshness.state, reasons, ...on }));
    }
  } else if (!flags.quiet) console.log(describeStatus(tasks));
  return 0;
}

/** A summary by rule, then the first cause of each staleness with how many tasks it makes stale. */
export function describeStatus(tasks: readonly TaskStatus[]): string {
  if (tasks.length === 0) return "no tasks";
  const rules = new Map<string, Map<State, number>>();
  for (const { rule, freshness } of tasks) {
    const counts = rules.get(rule) ?? new Map<State, number>();
    counts.set(freshness.state, (counts.get(freshness.state) ?? 0) + 1);
    rules.set(rule, counts);
  }
  if (tasks.every(({ freshness }) => freshness.state === "fresh")) return `all ${tasks.length} tasks fresh`;
  const width = Math.max(...[...rules.keys()].map((rule) => rule.length));
  const lines = [...rules].map(([rule, counts]) => {
    const parts = STATES.flatMap((state) => {
      const n = counts.get(state);
      return n === undefined ? [] : [`${n} ${state}`];
    });
    return `${rule.padEnd(width)}  ${parts.join(", ")}`;
  });
  return [...lines, "", ...causes(tasks)].join("\n").trimEnd();
}

const SHOWN = 30;

function causes(tasks: readonly TaskStatus[]): string[] {
  const byCause = new Map<string, string[]>();
  for (const { id, freshness } of tasks) {
    if (freshness.state === "fresh" || freshness.state === "blocked") continue;
    const [first] = freshness.reasons;
    const cause = `${first ? explain(first) : "unknown"}${freshness.state === "restorable" ? " — in the cache" : ""}`;
    byCause.set(cause, [...(byCause.get(cause) ?? []), id]);
  }
  const listed = [...byCause].slice(0, SHOWN).map(([cause, ids]) => {
    const who = ids.length === 1 ? (ids[0] ?? "") : `${ids.length} tasks, ${ids[0] ?? ""} …`;
    return `  ${cause} (${who})`;
  });
  const more = byCause.size - listed.length;
  return ["causes:", ...listed, ...(more > 0 ? [`  … and ${more} more (--json has all)`] : [])];
}
