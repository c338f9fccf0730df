/** Nothing that a task starts outlives it, whatever it does to get away. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isAlive } from "../helpers/alive.ts";
import { cliProject, type CliProject, type Lq } from "../helpers/cli.ts";

/** Leaves its group and its parent, ignores SIGTERM, keeps the pipes open, and tells its number. */
const DAEMON = `setsid bash -c 'trap "" TERM; echo $$ > pid.tmp; mv pid.tmp pid; sleep 1000' &`;

function daemonic(end: string, more = ""): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
rules:
  daemon:
    cmd: |
      ${DAEMON}
      until test -e pid; do sleep 0.01; done
      touch \${out}
      ${end}
    out: out.txt
${more}`,
  });
}

const pidOf = (project: CliProject): number => Number(project.read("pid"));

async function gone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}

async function untilDaemon(project: CliProject): Promise<number> {
  await expect.poll(() => project.has("pid")).toBe(true);
  const pid = pidOf(project);
  expect(isAlive(pid)).toBe(true);
  return pid;
}

test("a daemon does not outlive the build of a task that ended well, nor keep it waiting", async () => {
  const project = daemonic("true");
  const { code } = await project.lq("build");
  expect([code, project.has("out.txt")]).toEqual([0, true]);
  await gone(pidOf(project));
});

test.each([
  ["failed", "exit 1", ""],
  ["ran out of time", "sleep 1000", "    timeout: 1\n"],
])("a daemon ends with a task that %s", async (_, end, more) => {
  const project = daemonic(end, more);
  const lq = project.start("build", "--json");
  await lq.line('"task":"daemon","outcome":"failed"');
  await gone(pidOf(project));
  expect((await lq.ended).code).toBe(1);
});

test.each(["SIGINT", "SIGKILL"] as const)("a daemon ends with an lq that got %s", async (signal) => {
  const project = daemonic("sleep 1000");
  const lq = project.start("build");
  const pid = await untilDaemon(project);
  lq.kill(signal);
  await lq.ended;
  await gone(pid);
});

test("a worker that is too busy to notice, and what it started, end when lq is killed", async () => {
  const project = cliProject({
    "busy.ts": `import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run() {
    const child = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
    writeFileSync("pids", process.pid + " " + child.pid);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
`,
    "pipeline.yaml": `version: 1\nrules:\n  busy: { run: busy.ts, out: never.txt }\n`,
  });
  const lq = project.start("build");
  const pids = (await project.appears("pids")).split(" ").map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  lq.kill("SIGKILL");
  await lq.ended;
  for (const pid of pids) await gone(pid);
});

test("what bears the mark only when lq was killed, as a process that was just being started, ends as well", async () => {
  const project = cliProject({
    "late.sh":
      "echo $$ > pid.tmp; mv pid.tmp pid; until test -e go; do sleep 0.01; done; LQ_TASK=$1 exec sleep 1000",
    "pipeline.yaml": `version: 1
rules:
  late:
    cmd: |
      env -u LQ_TASK setsid bash late.sh $LQ_TASK &
      sleep 1000
    out: out.txt
`,
  });
  const lq = project.start("build");
  const pid = await untilDaemon(project);
  const watchdog = watchdogOf(lq);
  lq.kill("SIGKILL");
  await lq.ended;
  // Its first looks end what has the mark. Then it pauses, here for as long as the start takes, and looks once more.
  const pauses = (): number[] => childrenOf(watchdog).filter((child) => commandOf(child) === "sleep 1");
  await expect.poll(pauses).toHaveLength(1);
  const [pause = 0] = pauses();
  process.kill(pause, "SIGSTOP");
  project.write("go", "");
  await expect.poll(() => commandOf(pid)).toBe("sleep 1000");
  process.kill(pause, "SIGCONT");
  await gone(pid);
});

test("what a killed build left is ended by the next before it starts anything", async () => {
  // Without the mark's watchdog: it was killed as well.
  const project = daemonic("sleep 1000");
  const lq = project.start("build");
  const pid = await untilDaemon(project);
  process.kill(watchdogOf(lq), "SIGKILL");
  lq.kill("SIGKILL");
  await lq.ended;
  expect(isAlive(pid)).toBe(true);
  project.write("pipeline.yaml", `version: 1\nrules:\n  daemon: { cmd: "touch \${out}", out: out.txt }\n`);
  expect((await project.lq("build")).code).toBe(0);
  await gone(pid);
});

function watchdogOf(lq: Lq): number {
  const watchdog = childrenOf(lq.pid).find((child) => commandOf(child).includes("lq-watchdog"));
  if (watchdog === undefined) throw new Error("lq has no watchdog");
  return watchdog;
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** Its words; empty if it has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
