/** Computes the progress of each rule: from the events of the running build, else from the tasks' states on disk. */
import { computed } from "@preact/signals";
import { TASK_STATES, type RuleView } from "../../src/ui/messages.ts";
import type { RuleProgress } from "../../src/report/progress.ts";
import type { Part } from "../parts/basics.tsx";
import { isRunning, live, now, project, dependOnLive } from "./store.ts";
import type { State } from "./tasks.ts";

export interface RuleRow {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly done: number;
  readonly total: number;
  /** Mean seconds of a task; null: unknown. */
  readonly each: number | null;
  /** Seconds that are left; null: unknown, or nothing is left. */
  readonly left: number | null;
  readonly sign: State;
  readonly moreAfter: readonly string[];
}

export interface GroupRow extends RuleRow {
  readonly rules: readonly RuleRow[];
}

export const ruleRows = computed((): readonly RuleRow[] => {
  dependOnLive();
  const view = project.value;
  const build = isRunning.value ? live.value : null;
  if (build === null) return view === null ? [] : onDisk(view.rules);
  now.value.valueOf();
  const known = new Map(view?.rules.map((rule) => [rule.name, rule]));
  const names = new Set([...known.keys(), ...build.progress.rules.keys()]);
  return [...names].flatMap((name) => {
    const rule = build.progress.rules.get(name);
    return rule === undefined ? [] : [inBuild(name, rule, known.get(name))];
  });
});

/** Rules below their groups. A rule without a group stands alone. */
export const groupRows = computed((): readonly (RuleRow | GroupRow)[] => {
  const rows = ruleRows.value;
  const groups = project.value?.groups ?? [];
  const grouped = new Set(groups.flatMap(({ rules }) => rules));
  return [
    ...rows.filter(({ name }) => !grouped.has(name)),
    ...groups.flatMap(({ name, rules }) => {
      const own = rows.filter((row) => rules.includes(row.name));
      return own.length === 0 ? [] : [together(name, own)];
    }),
  ];
});

function together(name: string, rules: readonly RuleRow[]): GroupRow {
  const sum = (of: (row: RuleRow) => number): number => rules.reduce((total, row) => total + of(row), 0);
  const parts = new Map<string, number>();
  for (const { kind, value } of rules.flatMap((rule) => rule.parts))
    parts.set(kind, (parts.get(kind) ?? 0) + value);
  const lefts = rules.flatMap(({ left }) => left ?? []);
  return {
    name,
    rules,
    parts: [...parts].map(([kind, value]) => ({ kind, value })),
    done: sum(({ done }) => done),
    total: sum(({ total }) => total),
    each: null,
    left: lefts.length === 0 ? null : lefts.reduce((total, left) => total + left, 0),
    sign:
      (["failed", "running", "stale", "waiting"] as const).find((sign) =>
        rules.some((rule) => rule.sign === sign),
      ) ?? "fresh",
    moreAfter: rules.flatMap(({ moreAfter }) => moreAfter),
  };
}

function inBuild(name: string, rule: RuleProgress, view: RuleView | undefined): RuleRow {
  const { counts, running, total, done, seconds, expected } = rule;
  const each = counts.ran > 0 ? seconds / counts.ran : (expected ?? null);
  const waiting = Math.max(0, total - done);
  return {
    name,
    parts: [
      { kind: "fresh", value: counts.fresh },
      { kind: "ran", value: counts.ran + counts.accepted },
      { kind: "restored", value: counts.restored },
      { kind: "running", value: running.size },
      { kind: "failed", value: counts.failed },
    ],
    done,
    total: Math.max(total, done + running.size),
    each,
    left: waiting > 0 && each !== null ? waiting * each : null,
    sign: counts.failed > 0 ? "failed" : running.size > 0 ? "running" : waiting > 0 ? "waiting" : "fresh",
    moreAfter: view?.moreAfter ?? [],
  };
}

/** A task in one of these states does not have its outputs up to date. */
const DUE = ["stale", "missing", "pending"] as const;

function onDisk(rules: readonly RuleView[]): readonly RuleRow[] {
  const { tasks } = project.value!;
  const counts = rules.map(() => TASK_STATES.map(() => 0));
  const seconds = rules.map(() => ({ sum: 0, count: 0 }));
  for (const [i, rule] of tasks.rule.entries()) {
    counts[rule]![tasks.state[i] ?? 0]! += 1;
    const own = tasks.seconds[i];
    if (own != null)
      Object.assign(seconds[rule]!, { sum: seconds[rule]!.sum + own, count: seconds[rule]!.count + 1 });
  }
  for (const [i, { omitted }] of rules.entries()) {
    if (omitted === null) continue;
    counts[i] = counts[i]!.map((value, state) => value + (omitted.states[state] ?? 0));
    const { sum, count } = seconds[i]!;
    seconds[i] = { sum: sum + omitted.seconds, count: count + omitted.timed };
  }
  return rules.flatMap(({ name, moreAfter }, i): RuleRow[] => {
    const of = (state: (typeof TASK_STATES)[number]): number => counts[i]![TASK_STATES.indexOf(state)]!;
    const total = counts[i]!.reduce((sum, value) => sum + value, 0);
    if (total === 0 && moreAfter.length === 0) return [];
    const { sum, count } = seconds[i]!;
    const each = count === 0 ? null : sum / count;
    const due = DUE.reduce((all, state) => all + of(state), 0) + of("failed");
    const sign =
      of("failed") > 0 ? "failed" : due > 0 ? "stale" : of("restorable") > 0 ? "restorable" : "fresh";
    return [
      {
        name,
        parts: TASK_STATES.map((state) => ({ kind: state, value: of(state) })),
        done: of("fresh"),
        total,
        each,
        left: due > 0 && each !== null ? due * each : null,
        sign,
        moreAfter,
      },
    ];
  });
}
