/**
 * Waits for changes in a project's folder and has it built again after each burst of them.
 *
 * What lq writes itself (its cache, and outputs as it wrote them) is no change. A change that comes while a build
 * runs cancels it, and the next build finds what had been finished in the records: only running tasks are lost.
 */
import { watch } from "chokidar";
import { relative } from "node:path";
import { CACHE } from "../fingerprint/paths.ts";
import { FileDigests } from "../fingerprint/files.ts";
import { isAsWritten } from "../record/outputs.ts";
import { State } from "../record/state.ts";

export interface WatchOptions {
  readonly root: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Whether a task of the graph makes this path: while a build runs, a change there is the build's own. */
  readonly mayBeOutput: (path: string) => boolean;
  /** One build; rejects for nothing but defects. */
  readonly buildOnce: (signal: AbortSignal) => Promise<void>;
}

/** Changes this close together are one burst. */
const BURST_MS = 80;
const SHOWN = 5;
const IGNORED = /(^|\/)(node_modules|\.git)(\/|$)/;

/** Resolves when the signal aborts, the running build being ended. */
export async function watchProject({
  root,
  signal,
  say,
  mayBeOutput,
  buildOnce,
}: WatchOptions): Promise<void> {
  const changed = new Set<string>();
  let wake: () => void = () => undefined;
  let current = new AbortController();
  const watcher = watch(root, {
    ignored: (path) => {
      const name = relative(root, path);
      return `${name}/`.startsWith(CACHE) || IGNORED.test(name);
    },
    ignoreInitial: true,
    followSymlinks: true,
  });
  watcher.on("all", (event, path) => {
    if (event === "addDir" || event === "unlinkDir") return;
    changed.add(relative(root, path));
    wake();
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  const abort = () => {
    current.abort();
    wake();
  };
  signal.addEventListener("abort", abort);

  try {
    while (!signal.aborted) {
      current = new AbortController();
      let running = true;
      const building = buildOnce(current.signal).finally(() => {
        running = false;
        wake();
      });
      if (signal.aborted) current.abort();
      while (running || (!signal.aborted && !hasForeign(root, changed))) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (!running && changed.size > 0) resolve();
          else if (!running) say("watching for changes");
        });
        await settled(changed);
        if (running && [...changed].some((path) => !mayBeOutput(path))) current.abort();
      }
      await building;
      if (signal.aborted) return;
      const paths = [...changed].sort();
      changed.clear();
      const more = paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : "";
      say(`changed: ${paths.slice(0, SHOWN).join(", ")}${more}`);
    }
  } finally {
    signal.removeEventListener("abort", abort);
    await watcher.close();
  }
}

/** Waits until no change has come for a moment. */
async function settled(changed: ReadonlySet<string>): Promise<void> {
  for (let before = -1; before !== changed.size;) {
    before = changed.size;
    await new Promise((resolve) => setTimeout(resolve, BURST_MS));
  }
}

/** Drops from `changed` what is as lq wrote it, and says whether anything is left. */
function hasForeign(root: string, changed: Set<string>): boolean {
  if (changed.size === 0) return false;
  const state = State.open(root, { readonly: true });
  const files = new FileDigests(root, state);
  for (const path of changed) {
    const owner = state.owner(path) ?? directoryOwner(state, path);
    if (owner !== undefined && isAsWritten(root, files, owner.output)) changed.delete(path);
  }
  return changed.size > 0;
}

function directoryOwner(state: State, path: string): ReturnType<State["owner"]> {
  const parts = path.split("/");
  for (let n = parts.length - 1; n > 0; n--) {
    const owner = state.owner(`${parts.slice(0, n).join("/")}/`);
    if (owner !== undefined) return owner;
  }
  return undefined;
}
