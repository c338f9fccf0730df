import { expect, test } from "vitest";
import { Progress } from "../../src/report/progress.ts";

function timed(): { readonly progress: Progress; at(seconds: number): void } {
  let now = 0;
  return { progress: new Progress(() => now), at: (seconds) => void (now = seconds * 1000) };
}

const start = (task: string) => ({ type: "start", task, reasons: [], devices: [] }) as const;
const ran = (task: string, seconds: number) =>
  ({ type: "task", task, outcome: "ran", reasons: [], seconds }) as const;

test("counts by rule", () => {
  const { progress } = timed();
  progress.apply({ type: "plan", tasks: 3, rules: { a: 2, b: 1 } });
  progress.apply(start("a:1"));
  progress.apply({ type: "progress", task: "a:1", fraction: 0.5, note: "half" });
  expect(progress.running).toMatchObject([{ id: "a:1", fraction: 0.5, note: "half" }]);
  progress.apply(ran("a:1", 1));
  progress.apply({ type: "task", task: "b", outcome: "fresh", reasons: [], seconds: 0 });
  expect([progress.done, progress.total, progress.running.length]).toEqual([2, 3, 0]);
  expect(progress.rule("a").counts).toMatchObject({ ran: 1, fresh: 0 });
});

test("counts tasks that wait in a queue until they start or end", () => {
  const { progress } = timed();
  progress.apply({ type: "plan", tasks: 2, rules: { a: 2 } });
  for (const task of ["a:1", "a:2"]) progress.apply({ type: "queued", task, job: "7" });
  progress.apply(start("a:1"));
  expect([progress.rule("a").running.size, progress.rule("a").queued.size]).toEqual([1, 1]);
  progress.apply({ type: "task", task: "a:2", outcome: "cancelled", reasons: [], seconds: 0 });
  expect(progress.rule("a").queued.size).toBe(0);
});

test("the time left is unknown before a task has run or has a recorded duration", () => {
  const { progress } = timed();
  progress.apply({ type: "plan", tasks: 2, rules: { a: 2 } });
  expect(progress.secondsLeft()).toBeNull();
  progress.apply(start("a:1"));
  expect(progress.secondsLeft()).toBeNull();
});

test("the time left follows from the mean of the tasks that ran and how many run at once", () => {
  const { progress, at } = timed();
  progress.apply({ type: "plan", tasks: 8, rules: { a: 8 } });
  progress.apply(start("a:1"));
  progress.apply(start("a:2"));
  at(10);
  progress.apply(ran("a:1", 10));
  progress.apply(ran("a:2", 10));
  // Six more of 10 s each, two at a time.
  expect(progress.secondsLeft()).toBeCloseTo(30);
});

test("the time left follows from recorded durations and the progress of running tasks", () => {
  const { progress, at } = timed();
  progress.apply({ type: "plan", tasks: 2, rules: { a: 1, b: 1 }, expected: { a: 5, b: 100 } });
  progress.apply(start("b"));
  at(20);
  expect(progress.secondsLeft()).toBeCloseTo(5 + 80);
  progress.apply({ type: "progress", task: "b", fraction: 0.5 });
  expect(progress.secondsLeft()).toBeCloseTo(5 + 20);
});
