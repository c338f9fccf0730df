/**
 * Builds, and builds again after each burst of changes.
 *
 * After a change during a build, the build starts no more tasks. Running tasks whose key has changed are cancelled; the
 * others run to their end, and the next build finds their outputs. Files that lq wrote do not count as changes.
 */
import { BuildControl } from "../run/control.ts";
import { UserError } from "../model/errors.ts";
import { FileDigests } from "../files/files.ts";
import type { Pipeline } from "../model/model.ts";
import { State } from "../state/state.ts";
import { status } from "../plan/status.ts";
import { Changes } from "./changes.ts";
import { EVERYTHING, scopeOf, type Scope } from "./scope.ts";

export interface WatchOptions {
  readonly root: string;
  readonly targets: readonly string[];
  readonly cwd: string;
  /** Ends the watch and cancels running tasks. */
  readonly signal: AbortSignal;
  /** Reads the pipeline again. @throws UserError if it is wrong */
  readonly load: () => Pipeline;
  readonly build: (pipeline: Pipeline, control: BuildControl) => Promise<void>;
  /** Reports an error in the pipeline or the request; the next change may repair it. */
  readonly refuse: (error: UserError) => void;
  readonly announce: (event: WatchEvent) => void;
}

export type WatchEvent =
  | { readonly type: "watch"; readonly state: "waiting" }
  | { readonly type: "watch"; readonly state: "changed"; readonly paths: readonly string[] };

/** Resolves when the signal has aborted and no task runs any more. */
export async function watchProject(options: WatchOptions): Promise<void> {
  const { root, signal, announce } = options;
  const changes = await Changes.of(root);
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
  try {
    while (!signal.aborted) {
      const owned = ownedPaths(root);
      const { scope, paths } = await buildOnce(options, changes);
      let foreign = foreignPaths(root, scope, owned, paths);
      if (foreign.length === 0 && !signal.aborted) announce({ type: "watch", state: "waiting" });
      while (foreign.length === 0 && !signal.aborted) {
        await Promise.race([changes.burst(), aborted]);
        foreign = foreignPaths(root, scope, owned, changes.take());
      }
      if (!signal.aborted) announce({ type: "watch", state: "changed", paths: foreign });
    }
  } finally {
    await changes.close();
  }
}

/** Builds once. @returns the paths that changed meanwhile, and the scope for the next changes */
async function buildOnce(
  options: WatchOptions,
  changes: Changes,
): Promise<{ readonly scope: Scope; readonly paths: readonly string[] }> {
  const { load, build, refuse, signal } = options;
  const paths: string[] = [];
  let scope = EVERYTHING;
  try {
    const pipeline = load();
    scope = scopeOf(pipeline);
    changes.also(scope.outside);
    const control = new BuildControl(signal);
    let running = true;
    const building = build(pipeline, control).finally(() => (running = false));
    while (running) {
      await Promise.race([changes.burst(), building]);
      const burst = changes.take();
      paths.push(...burst);
      if (running && burst.some((path) => scope.matters(path) && !scope.isOutput(path)))
        await cancelOutdated(options, control);
    }
    await building;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    scope = EVERYTHING;
    if (!signal.aborted) refuse(error);
  }
  return { scope, paths };
}

/** Stops the build, and cancels the running tasks whose key has changed. */
async function cancelOutdated({ load, targets, cwd }: WatchOptions, control: BuildControl): Promise<void> {
  control.stop();
  try {
    const tasks = await status({ pipeline: load(), targets, cwd });
    const keys = new Map(tasks.map(({ id, freshness }) => [id, "key" in freshness ? freshness.key : null]));
    for (const [id, key] of control.running) if (keys.get(id) !== key) control.cancel(id);
  } catch (error) {
    // The pipeline is broken at the moment. After a repair the running tasks may be valid again, so let them run.
    if (!(error instanceof UserError)) throw error;
  }
}

/** The changed paths that are in the scope and that lq did not write. */
function foreignPaths(
  root: string,
  scope: Scope,
  owned: ReadonlySet<string>,
  paths: readonly string[],
): readonly string[] {
  const mattering = paths.filter((path) => scope.matters(path));
  if (mattering.length === 0) return [];
  const state = State.open(root, { readonly: true });
  const files = new FileDigests(root, state);
  return mattering.filter((path) => {
    const digest = files.digest(path);
    const written = state.writtenFile(path);
    // If lq had a record of this path before the build and has none now, lq itself removed the file.
    return written === undefined ? digest !== null || !owned.has(path) : written.digest !== digest;
  });
}

function ownedPaths(root: string): ReadonlySet<string> {
  return new Set(State.open(root, { readonly: true }).ownedPaths());
}
