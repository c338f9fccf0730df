/** The events that a build writes for programs that watch it: cache/events/BUILD.jsonl. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

const PIPELINE = `version: 1
axes:
  n: ["1", "2", "3"]
rules:
  copy:
    each: { n: n }
    cmd: "cat \${in} > \${out}"
    in: "in/\${n}.txt"
    out: "out/\${n}.txt"
  hold:
    cmd: "echo held; mkfifo gate 2>/dev/null || true; echo > began; cat gate; cat \${in} > \${out}"
    in: { text: "out/1.txt" }
    out: held.txt
    slots: { gpu: optional }
`;

function project(pipeline = PIPELINE): CliProject {
  return cliProject({
    "pipeline.yaml": pipeline,
    "in/1.txt": "1",
    "in/2.txt": "2",
    "in/3.txt": "3",
  });
}

function events(of: CliProject, build: number): JsonLine[] {
  const text = readFileSync(of.path(`cache/events/${String(build).padStart(6, "0")}.jsonl`), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as JsonLine);
}

test("a build writes its events, fresh tasks as one line for each rule; a build without work writes none", async () => {
  const each = project();
  await each.lq("build", "copy", "-j", "1");
  const [head, ...lines] = events(each, 1);
  expect(head).toMatchObject({
    ...{ type: "build", version: 1, build: 1, targets: ["copy"], flags: ["--jobs 1"] },
    ...{ user: userInfo().username, host: hostname(), pid: expect.any(Number) as number },
  });
  const types = lines.map(({ type }) => type);
  expect([types[0], types.at(-1)]).toEqual(["plan", "summary"]);
  expect(types.slice(1, -1).sort()).toEqual(["start", "start", "start", "task", "task", "task"]);
  for (const { at } of lines) expect(Math.abs(Number(at) - Date.now())).toBeLessThan(300_000);

  await each.lq("build", "copy");
  expect(readdirSync(each.path("cache/events"))).toEqual(["000001.jsonl"]);

  each.write("in/2.txt", "two");
  await each.lq("build", "copy", "--json");
  const second = events(each, 2).filter(({ type }) => type !== "start");
  expect(second.map(({ type }) => type)).toEqual(["build", "plan", "fresh", "task", "summary"]);
  expect(second).toContainEqual(expect.objectContaining({ type: "fresh", rule: "copy", tasks: 2 }));
  const plan = second.find(({ type }) => type === "plan") as unknown as { expected: { copy: number } };
  expect(plan.expected.copy).toBeGreaterThan(0);
  expect((await each.json("history")).map(({ build }) => build)).toEqual([2, 1]);
});

test("lq keeps the events of the newest five builds", async () => {
  const each = project();
  for (let i = 0; i < 7; i++) {
    each.write("in/2.txt", String(i));
    await each.built("copy:2");
  }
  expect(readdirSync(each.path("cache/events"))).toEqual([3, 4, 5, 6, 7].map((n) => `00000${n}.jsonl`));
});

test("a build that cannot write its events goes on, and says so once", async () => {
  const each = project();
  each.write("cache/events", "a file in the way");
  const { code, stdout } = await each.lq("build", "copy");
  expect(code).toBe(0);
  expect(stdout.match(/nobody can watch this build/g)).toHaveLength(1);
  expect(each.has("out/3.txt")).toBe(true);
});

test("status, log and a waiting build say what runs in another terminal, on which device and for how long", async () => {
  const each = project();
  const build = each.start("build", "hold", "out/2.txt", "--slots", "gpu=1");
  await each.appears("began");
  await expect
    .poll(async () => (await each.lq("status")).stdout)
    .toMatch(
      /^build 1 by .* on .* is running: \d of 3 done, 1 running.*\n  hold: for \d+\.\d s, on GPU 0, held\n/,
    );
  await expect
    .poll(async () => (await each.json("status"))[0])
    .toMatchObject({
      type: "running",
      build: 1,
      state: "running",
      running: ["hold"],
      tasks: [{ task: "hold", devices: ["0"] }],
    });
  await expect
    .poll(async () => (await each.lq("log", "hold")).stderr)
    .toMatch(/\(running now, for .*, on GPU 0, held\)/);
  const waits = each.start("build", "out/3.txt");
  const [said] = await waits.line("waiting for another build");
  expect(said).toContain(
    `waiting for another build (process ${build.pid}): build 1 by ${userInfo().username} on`,
  );
  expect(said).toMatch(
    /is running: .*, 1 running.*; it makes hold out\/2\.txt, for .* so far\. This command goes on/,
  );
  build.kill("SIGKILL");
  await build.ended;
  const { code, stdout } = await waits.ended;
  expect([code, stdout]).toEqual([0, expect.stringMatching(/ran +copy:3/)]);
  expect(each.has("out/3.txt")).toBe(true);
});

test("status mentions a build that was killed", async () => {
  const each = project();
  const build = each.start("build", "hold");
  await each.appears("began");
  build.kill("SIGKILL");
  await build.ended;
  expect((await each.lq("status")).stdout).toMatch(/^build 1 by .* was cut short: /);
});

test("a build on another machine without events for 30 s does not count as running", async () => {
  const each = project();
  await each.built("copy");
  const file = each.path("cache/events/000001.jsonl");
  const [head = "", ...lines] = readFileSync(file, "utf8").split("\n");
  const elsewhere = { ...(JSON.parse(head) as object), place: "another machine", host: "lab-gpu1" };
  const text = [JSON.stringify(elsewhere), ...lines.slice(0, 3)].join("\n");
  writeFileSync(file, `${text}\n`);
  expect((await each.lq("status")).stdout).toMatch(/^build 1 by .* on lab-gpu1 is running: /);
  const { utimesSync } = await import("node:fs");
  const before = Date.now() / 1000 - 40;
  utimesSync(file, before, before);
  expect((await each.lq("status")).stdout).toMatch(/^no sign of life of build 1 by .* on lab-gpu1 for 4\d/);
});
