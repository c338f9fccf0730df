/** `lq graph`: prints the graph, as far as it is known without running anything, for another program to draw. */
import { byRule, byTask, toDot, toJson, toMermaid } from "../../graph-views/graph-views.ts";
import { openProject, type CommonFlags } from "../options.ts";
import { planned } from "../tasks-named.ts";

export interface GraphFlags extends CommonFlags {
  readonly format: "dot" | "mermaid" | "json";
  readonly tasks?: boolean;
}

/** With more tasks, dot and mermaid draw one node for each rule. */
const MOST_TASKS = 200;

export async function runGraph(targets: readonly string[], flags: GraphFlags): Promise<number> {
  const { session, selected } = await planned(openProject(flags), targets);
  const { graph } = session;
  const drawing = () =>
    flags.tasks === true || selected.tasks.size <= MOST_TASKS
      ? byTask(graph, selected.tasks)
      : byRule(graph, selected.tasks);
  const text = {
    dot: () => toDot(drawing()),
    mermaid: () => toMermaid(drawing()),
    json: () => toJson(graph, selected),
  }[flags.json === true ? "json" : flags.format]();
  console.log(text);
  return 0;
}
