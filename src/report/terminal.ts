/**
 * The live view: a line a rule with its counts, below it the running tasks with elapsed time, progress and note,
 * and an estimate of the time left. A thousand tasks are still one line a rule.
 */
import { Listr, type ListrTaskWrapper, type DefaultRenderer, type SimpleRenderer } from "listr2";
import type { Event } from "./events.ts";
import type { View } from "./listener.ts";
import { duration, failureLines, summaryLine } from "./lines.ts";

type Line = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

interface Running {
  readonly since: number;
  fraction: number;
  note: string;
}

interface Group {
  total: number;
  readonly counts: { ran: number; restored: number; fresh: number; failed: number; skipped: number };
  readonly running: Map<string, Running>;
  line: Line | null;
  finish: () => void;
}

const REFRESH_MS = 200;

export function terminalView({ color }: { color: boolean }): View {
  if (!color) process.env.NO_COLOR = "1"; // listr2 asks the environment
  const groups = new Map<string, Group>();
  const started = performance.now();
  const after: string[] = [];
  const list = new Listr([], {
    concurrent: true,
    exitOnError: false,
    rendererOptions: { collapseSubtasks: false },
  });
  let shown: Promise<unknown> | null = null;
  const timer = setInterval(() => groups.forEach((group, rule) => draw(rule, group)), REFRESH_MS);

  const groupOf = (rule: string): Group => {
    let group = groups.get(rule);
    if (group === undefined) {
      const counts = { ran: 0, restored: 0, fresh: 0, failed: 0, skipped: 0 };
      const created: Group = { total: 0, counts, running: new Map(), line: null, finish: () => undefined };
      groups.set(rule, (group = created));
    }
    return group;
  };

  const show = (rule: string, group: Group) => {
    if (group.line !== null || done(group) >= group.total) return;
    const finished = new Promise<void>((resolve) => (group.finish = resolve));
    list.add({
      title: title(rule, group),
      rendererOptions: { outputBar: Infinity },
      task: (_, line) => {
        group.line = line;
        return finished;
      },
    });
    shown ??= list.run();
  };

  const draw = (rule: string, group: Group) => {
    if (group.line === null) return;
    group.line.title = title(rule, group);
    group.line.output = [...group.running].map(([task, state]) => runningLine(task, state)).join("\n");
  };

  const listener = (event: Event) => {
    switch (event.type) {
      case "plan":
        for (const [rule, total] of Object.entries(event.rules)) groupOf(rule).total = total;
        return;
      case "start": {
        const rule = ruleOf(event.task);
        const group = groupOf(rule);
        group.running.set(event.task, { since: performance.now(), fraction: 0, note: "" });
        show(rule, group);
        return;
      }
      case "progress": {
        const state = groupOf(ruleOf(event.task)).running.get(event.task);
        if (state) Object.assign(state, { fraction: event.fraction, note: event.note ?? "" });
        return;
      }
      case "task": {
        const rule = ruleOf(event.task);
        const group = groupOf(rule);
        group.running.delete(event.task);
        if (event.outcome !== "cancelled") group.counts[event.outcome]++;
        if (event.outcome === "failed") after.push(...failureLines(event));
        draw(rule, group);
        if (done(group) >= group.total) group.finish();
        return;
      }
      case "notice":
        after.push(event.text);
        return;
      case "summary":
        after.push(summaryLine(event, false));
        return;
    }
  };

  const title = (rule: string, group: Group): string => {
    const { counts, running, total } = group;
    const parts = Object.entries(counts).flatMap(([outcome, n]) => (n > 0 ? [`${n} ${outcome}`] : []));
    const left = estimate(counts.ran, total - done(group), started);
    const eta = running.size > 0 && left !== null ? `, about ${duration(left)} left` : "";
    return `${rule} ${done(group)}/${total}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}${eta}`;
  };

  return {
    listener,
    async close() {
      clearInterval(timer);
      for (const [rule, group] of groups) {
        draw(rule, group);
        group.finish();
      }
      await shown;
      after.forEach((line) => console.log(line));
    },
  };
}

function runningLine(task: string, { since, fraction, note }: Running): string {
  const share = fraction > 0 ? ` ${Math.floor(fraction * 100)} %` : "";
  return `${task} ${duration((performance.now() - since) / 1000)}${share}${note === "" ? "" : ` ${note}`}`;
}

/** Seconds left for `remaining` tasks at the pace of those that ran; null before the first. */
function estimate(ran: number, remaining: number, started: number): number | null {
  if (ran === 0) return null;
  return ((performance.now() - started) / 1000 / ran) * remaining;
}

const done = ({ counts }: Group) => Object.values(counts).reduce((a, b) => a + b, 0);
const ruleOf = (task: string) => task.replace(/:.*/s, "");
