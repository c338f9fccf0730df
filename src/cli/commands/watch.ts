/** `lq watch`: builds, then builds again whenever a file that the build depends on changes. */
import { build } from "../../run/build.ts";
import type { BuildControl } from "../../run/control.ts";
import { firstNames } from "../../model/cut-list.ts";
import type { Pipeline } from "../../model/model.ts";
import { createView } from "../../report/listener.ts";
import { watchProject, type WatchEvent } from "../../watch/watch-project.ts";
import { onInterrupt } from "../interrupt.ts";
import { typedFlags } from "../flags.ts";
import { openProject, viewOptions, type CommonFlags } from "../options.ts";
import { startPage, type PageFlags } from "../page-beside.ts";
import { print } from "../print.ts";
import { showUserError } from "../user-error.ts";

export async function runWatch(targets: readonly string[], flags: PageFlags): Promise<number> {
  const { pipeline, cwd } = openProject(flags);
  const endPage = await startPage(pipeline.root, flags);
  const interrupt = onInterrupt();
  const { signal } = interrupt;
  const buildOnce = async (pipeline: Pipeline, control: BuildControl): Promise<void> => {
    const { jobs, slots, executor, keepGoing, force } = flags;
    const view = await createView(viewOptions(flags, pipeline));
    const { listener } = view;
    try {
      const words = typedFlags(flags);
      await build({
        ...{ pipeline, cwd, targets, jobs, slots, executor, keepGoing, force },
        ...{ signal, control, listener, flags: words },
      });
    } finally {
      await view.close();
    }
  };
  try {
    await watchProject({
      root: pipeline.root,
      targets,
      cwd,
      signal,
      load: () => openProject(flags).pipeline,
      build: buildOnce,
      refuse: (error) => showUserError(error, flags),
      announce: (event) => announce(event, flags),
    });
  } finally {
    endPage();
    interrupt.release();
  }
  return interrupt.exitCode() ?? 0;
}

const SHOWN = 5;

function announce(event: WatchEvent, { json, quiet }: CommonFlags): void {
  if (json) console.log(JSON.stringify(event));
  else if (quiet) return;
  else if (event.state === "waiting") print("waiting for changes");
  else print(`changed: ${firstNames(event.paths, SHOWN)}`);
}
