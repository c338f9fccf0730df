import { ruleDrawing, taskDrawing, toDot, toMermaid } from "../graph-views/graph-views.ts";
import { openProject, type CommonFlags } from "./options.ts";
import { planned } from "./tasks-named.ts";

export interface GraphFlags extends CommonFlags {
  readonly format: string;
  readonly tasks?: boolean;
}

export async function runGraph(targets: readonly string[], flags: GraphFlags): Promise<number> {
  const { session, selected } = await planned(openProject(flags), targets);
  const { graph } = session;
  if (flags.format === "json") {
    const tasks = [...selected.tasks].map((task) => ({
      id: task.id,
      rule: task.rule.name,
      inputs: task.inputs.map(({ path }) => path),
      outputs: task.outputs.map(({ path }) => path),
      needs: graph.dependencies(task).map(({ id }) => id),
    }));
    console.log(
      JSON.stringify(
        { tasks, growths: [...selected.growths].map(({ id, file }) => ({ id, file })) },
        null,
        1,
      ),
    );
    return 0;
  }
  const drawing = flags.tasks ? taskDrawing(graph, selected.tasks) : ruleDrawing(graph, selected.tasks);
  console.log(flags.format === "dot" ? toDot(drawing) : toMermaid(drawing));
  return 0;
}
