import { PassThrough } from "node:stream";
import { expect, test, vi } from "vitest";
import type { Event } from "../../src/report/events.ts";
import { createView } from "../../src/report/listener.ts";
import { terminalView } from "../../src/report/terminal.ts";

/** A terminal of 100 × 24 that keeps what it was sent. */
function terminal(): { readonly stdout: NodeJS.WriteStream; sent(): string } {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  const stdout = Object.assign(stream, {
    isTTY: true,
    columns: 100,
    rows: 24,
  }) as unknown as NodeJS.WriteStream;
  return { stdout, sent: () => chunks.join("") };
}

async function show(rules: readonly string[], events: readonly Event[]): Promise<string> {
  const { stdout, sent } = terminal();
  const view = terminalView({ color: false, rules, stdout });
  events.forEach(view.listener);
  await view.close();
  return sent();
}

/** What stays on the screen: the text after the last time that lines were erased. */
function remaining(sent: string): string[] {
  const text = sent.slice(sent.lastIndexOf("\x1b[2K") + 1);

  return text
    .replace(/\x1b?\[[?\d]*[a-zA-Z]/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

const finished = (task: string, outcome: "ran" | "fresh" | "failed" | "skipped" | "cancelled"): Event => ({
  type: "task",
  task,
  outcome,
  reasons: [],
  seconds: 1,
  ...(outcome === "failed" ? { error: "exit code 1", tail: ["out of luck"], log: "cache/logs/x.log" } : {}),
});

test("a thousand tasks leave one line for each rule, and the counts", async () => {
  const ids = Array.from({ length: 1000 }, (_, i) => `predict:${i}`);
  const sent = await show(
    ["predict", "table", "unused"],
    [
      { type: "plan", tasks: 1001, rules: { predict: 1000, table: 1 } },
      ...ids.flatMap((task): Event[] => [
        { type: "start", task, reasons: [], devices: [] },
        finished(task, "ran"),
      ]),
      finished("table", "fresh"),
      {
        type: "summary",
        ran: 1000,
        restored: 0,
        accepted: 0,
        fresh: 1,
        failed: 0,
        skipped: 0,
        cancelled: 0,
        uploaded: 0,
        downloaded: 0,
        seconds: 61,
      },
    ],
  );
  expect(remaining(sent)).toEqual(["✔ predict 1000/1000 1000 ran", "1000 ran, 1 fresh in 1 min 01 s"]);
  expect(sent.split("\n").length).toBeLessThan(20);
});

test("failed tasks are marked, and shown with details at the end", async () => {
  const sent = await show(
    ["train"],
    [
      { type: "plan", tasks: 2, rules: { train: 2 } },
      { type: "start", task: "train:a", reasons: [], devices: [] },
      finished("train:a", "failed"),
      finished("train:b", "skipped"),
      {
        type: "summary",
        ran: 0,
        restored: 0,
        accepted: 0,
        fresh: 0,
        failed: 1,
        skipped: 1,
        cancelled: 0,
        uploaded: 0,
        downloaded: 0,
        seconds: 1,
      },
    ],
  );
  expect(remaining(sent)).toEqual([
    "✖ train 2/2 1 failed, 1 skipped",
    "failed train:a: exit code 1",
    "| out of luck",
    "whole log: cache/logs/x.log",
    "1 failed, 1 skipped in 1.0 s",
  ]);
});

test("a rule with a cancelled task gets no tick", async () => {
  const events: Event[] = [
    { type: "plan", tasks: 1, rules: { train: 1 } },
    { type: "start", task: "train:a", reasons: [], devices: [] },
    finished("train:a", "cancelled"),
  ];
  expect(remaining(await show(["train"], events))).toEqual(["✖ train 1/1 1 cancelled"]);
});

test("a build with nothing to do prints one line", async () => {
  const sent = await show(
    ["a"],
    [
      { type: "plan", tasks: 1, rules: { a: 1 } },
      finished("a", "fresh"),
      {
        type: "summary",
        ran: 0,
        restored: 0,
        accepted: 0,
        fresh: 1,
        failed: 0,
        skipped: 0,
        cancelled: 0,
        uploaded: 0,
        downloaded: 0,
        seconds: 0.04,
      },
    ],
  );
  expect(sent).toBe("1 fresh in 0.0 s\n");
});

test("while tasks run, they are shown with their progress and an estimate", async () => {
  const { stdout, sent } = terminal();
  const view = terminalView({ color: false, rules: ["train"], stdout });
  view.listener({ type: "plan", tasks: 2, rules: { train: 2 }, expected: { train: 30 } });
  view.listener({ type: "start", task: "train:a", reasons: [], devices: [] });
  view.listener({ type: "progress", task: "train:a", fraction: 0.25, note: "epoch 3" });
  await new Promise<void>((resolve) => {
    stdout.on("data", () => sent().includes("running") && resolve());
  });
  view.listener(finished("train:a", "ran"));
  await view.close();
  expect(sent()).toMatch(/train 0\/2\n {2}train:a 0\.\d s 25 % epoch 3\n/);
  expect(sent()).toMatch(/0 of 2 tasks, 1 running, about \d+ s left/);
});

test("the last line shows what tasks wait for, as long as they wait", async () => {
  const { stdout, sent } = terminal();
  const view = terminalView({ color: false, rules: ["train"], stdout });
  const until = (text: RegExp) =>
    new Promise<void>((resolve) => stdout.on("data", () => text.test(sent()) && resolve()));
  const said = "waiting: GPU 0 is held by process 7 (ann)";
  view.listener({ type: "plan", tasks: 2, rules: { train: 2 } });
  view.listener({ type: "start", task: "train:a", reasons: [], devices: [] });
  view.listener({ type: "waiting", for: ["GPU 0 is held by process 7 (ann)"] });
  await until(/1 running.*\n.*waiting: GPU 0 is held/);
  view.listener(finished("train:a", "ran"));
  await until(/1\/2 1 ran\n *.?.? *waiting: GPU 0 is held/);
  view.listener({ type: "waiting", for: [] });
  view.listener({ type: "start", task: "train:b", reasons: [], devices: [] });
  view.listener(finished("train:b", "ran"));
  await view.close();
  expect(remaining(sent())).toEqual(["✔ train 2/2 2 ran"]);

  const unlive = await show(["train"], [{ type: "waiting", for: ["GPU 0 is held by process 7 (ann)"] }]);
  expect(unlive).toBe(`${said}\n`);
});

test("one line shows the progress of hashing sources, and disappears when tasks start", async () => {
  const at = (bytes: number): Event => {
    return { type: "hash", file: "data/a.nii.gz", bytes: bytes * 2 ** 30, total: 4 * 2 ** 30, seconds: 3 };
  };
  const sent = await show(
    ["a"],
    [
      at(1),
      at(3),
      at(4),
      {
        type: "summary",
        ran: 0,
        restored: 0,
        accepted: 0,
        fresh: 1,
        failed: 0,
        skipped: 0,
        cancelled: 0,
        uploaded: 0,
        downloaded: 0,
        seconds: 4,
      },
    ],
  );
  expect(sent).toBe(
    [
      "\r\x1b[Khashing 1 GiB of 4 GiB, about 9.0 s left: data/a.nii.gz",
      "\r\x1b[Khashing 3 GiB of 4 GiB, about 1.0 s left: data/a.nii.gz",
      "\r\x1b[K1 fresh in 4.0 s\n",
    ].join(""),
  );
});

test("a terminal without a cursor gets plain lines", async () => {
  vi.stubEnv("TERM", "dumb");
  const { stdout, sent } = terminal();
  const view = await createView({
    verbose: false,
    json: false,
    quiet: false,
    dryRun: false,
    color: false,
    rules: ["r"],
    stdout,
  });
  view.listener({ type: "plan", tasks: 1, rules: { r: 1 } });
  view.listener(finished("r", "ran"));
  await view.close();
  vi.unstubAllEnvs();
  expect(sent()).toBe("ran r (1.0 s)\n");
});
