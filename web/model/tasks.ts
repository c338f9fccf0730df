/** Lists all tasks with their states: in the running build if there is one, else on disk. */
import { computed } from "@preact/signals";
import type { TaskRun } from "../../src/ui/live-build.ts";
import { TASK_STATES } from "../../src/ui/messages.ts";
import { isRunning, live, project, dependOnLive } from "./store.ts";

export type State = (typeof TASK_STATES)[number] | TaskRun["state"] | "waiting";

export interface Row {
  readonly id: string;
  readonly rule: string;
  readonly state: State;
  /** Duration of the last run, or of the present run so far. */
  readonly seconds: number | null;
  readonly run: TaskRun | undefined;
}

/** Makes each row only when it is needed, because there may be 100,000. */
export interface Rows {
  readonly length: number;
  at(i: number): Row;
}

const ids = computed((): { readonly ids: readonly string[]; readonly known: ReadonlySet<string> } => {
  const view = project.value;
  if (view === null) return { ids: [], known: new Set() };
  const all = view.tasks.id.map((rest, i) => {
    const rule = view.rules[view.tasks.rule[i] ?? 0]?.name ?? "";
    return rest === "" ? rule : `${rule}:${rest}`;
  });
  return { ids: all, known: new Set(all) };
});

export const rows = computed((): Rows => {
  dependOnLive();
  const view = project.value;
  const build = live.value;
  const running = isRunning.value;
  const { ids: own, known } = ids.value;
  // Add tasks that became known while the build runs.
  const more = running && build !== null ? [...build.runs.keys()].filter((id) => !known.has(id)) : [];
  return {
    length: own.length + more.length,
    at(i) {
      const id = own[i] ?? more[i - own.length] ?? "";
      const run = build?.runs.get(id);
      const last = view?.tasks.seconds[i] ?? null;
      const seconds = run?.ended != null ? (run.ended - run.started) / 1000 : last;
      const now = TASK_STATES[view?.tasks.state[i] ?? -1] ?? "pending";
      const state = !running ? now : (run?.state ?? (now === "fresh" ? "fresh" : "waiting"));
      return { id, rule: ruleOf(id), state, seconds, run };
    },
  };
});

export function ruleOf(id: string): string {
  const colon = id.indexOf(":");
  return colon < 0 ? id : id.slice(0, colon);
}

/** A sign for each state, so that the states differ not only in colour. */
export const SIGNS: { readonly [state in State]: string } = {
  fresh: "✓",
  ran: "✓",
  restored: "↺",
  accepted: "✓",
  running: "▶",
  retrying: "▶",
  waiting: "○",
  pending: "○",
  stale: "◐",
  missing: "◌",
  restorable: "↺",
  failed: "✕",
  skipped: "–",
  cancelled: "–",
};
