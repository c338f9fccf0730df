/** `lq build [TARGET…]`, and `lq accept`, which differs only in that nothing runs. */
import { RUN, type Mode } from "../../run/mode.ts";
import { UserError } from "../../model/errors.ts";
import { build } from "../../run/build.ts";
import { createView } from "../../report/listener.ts";
import type { Asked } from "../../snapshot/snapshot.ts";
import { onInterrupt } from "../interrupt.ts";
import { snapshotRequest, typedFlags } from "../flags.ts";
import { openProject, viewOptions } from "../options.ts";
import { startPage, type PageFlags } from "../page-beside.ts";

/**
 * @param asked the snapshot's answer to this request
 * @param mode how to carry out the plan
 */
export async function runBuild(
  targets: readonly string[],
  flags: PageFlags,
  asked: Asked | null,
  mode: Mode = RUN,
): Promise<number> {
  if (flags.ui === true && flags.dryRun === true)
    throw new UserError({ message: "a dry run has no page", hint: "leave out -n or --ui" });
  const { pipeline, cwd } = openProject(flags);
  const endPage = await startPage(pipeline.root, flags);
  const interrupt = onInterrupt();
  const view = await createView(viewOptions(flags, pipeline));
  try {
    const summary = await build({
      pipeline,
      cwd,
      targets,
      jobs: flags.jobs,
      slots: flags.slots,
      executor: flags.executor,
      keepGoing: flags.keepGoing,
      dryRun: flags.dryRun,
      force: flags.force,
      mode,
      signal: interrupt.signal,
      listener: view.listener,
      flags: typedFlags(flags),
      snapshot: {
        request: snapshotRequest(pipeline.root, cwd, targets, flags),
        since: performance.timeOrigin,
        asked,
      },
    });
    return interrupt.exitCode() ?? (summary.failed > 0 ? 1 : 0);
  } catch (error) {
    const code = interrupt.exitCode();
    if (code !== null) return code; // interrupted while it waited for another build
    throw error;
  } finally {
    await view.close();
    if (interrupt.exitCode() !== null)
      process.stderr.write("what was done is kept: the same command goes on from here\n");
    endPage();
    interrupt.release();
  }
}
