/** `lq watch`: builds, then builds again whenever something that matters changes. */
import { build } from "../build.ts";
import { UserError } from "../errors.ts";
import { expand } from "../expand/expand.ts";
import type { Graph } from "../expand/graph.ts";
import { renderDiagnostics } from "../load/render.ts";
import { createView } from "../report/listener.ts";
import { watchProject } from "../watch/watch-project.ts";
import { onInterrupt } from "./interrupt.ts";
import { openProject, useColor, viewOptions, type CommonFlags } from "./options.ts";

export async function runWatch(targets: readonly string[], flags: CommonFlags): Promise<number> {
  const { pipeline: first, cwd } = openProject(flags);
  const interrupt = onInterrupt();
  const say = (text: string) => {
    if (flags.json) console.log(JSON.stringify({ type: "notice", level: "info", text }));
    else if (!flags.quiet) console.log(text);
  };
  let graph: Graph | null = null;
  const mayBeOutput = (path: string) =>
    graph !== null && (graph.producer(path) !== undefined || graph.growthsFor(path).length > 0);
  const buildOnce = async (signal: AbortSignal): Promise<void> => {
    const view = await createView(viewOptions(flags, first));
    try {
      const { pipeline } = openProject({ ...flags, directory: first.root });
      graph = expand(pipeline);
      const { jobs, slots, keepGoing, force } = flags;
      await build({ pipeline, cwd, targets, jobs, slots, keepGoing, force, signal, listener: view.listener });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      const color = useColor(process.stderr, flags.color);
      process.stderr.write(`${renderDiagnostics(error.diagnostics, { root: first.root, color })}\n`);
    } finally {
      await view.close();
    }
  };
  try {
    await watchProject({ root: first.root, signal: interrupt.signal, say, mayBeOutput, buildOnce });
  } finally {
    interrupt.release();
  }
  return interrupt.exitCode() ?? 0;
}
