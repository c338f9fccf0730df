/** No process that a task starts outlives the task, whatever it does to escape. */
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { isAlive } from "../helpers/alive.ts";
import { cliProject, type CliProject, type Lq } from "../helpers/cli.ts";

/** Leaves its group and its parent, ignores SIGTERM, keeps the pipes open, and writes its process id to `pid`. */
const DAEMON = `setsid bash -c 'trap "" TERM; echo $$ > pid.tmp; mv pid.tmp pid; sleep 1000' &`;

/**
 * @param end last line of the command of the task that starts the daemon
 * @param more further keys of its rule
 */
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

test("a daemon neither outlives a build that succeeds nor keeps it waiting", async () => {
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

test.each(["SIGINT", "SIGKILL"] as const)("a daemon ends when lq gets %s", async (signal) => {
  const project = daemonic("sleep 1000");
  const lq = project.start("build");
  const pid = await untilDaemon(project);
  lq.kill(signal);
  await lq.ended;
  await gone(pid);
});

test("a worker with a blocked event loop, and its child, end when lq is killed", async () => {
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

// LQ_TASK in the environment marks a process as part of a task. A process that is just being started gets it late. The
// watchdog first ends all processes with LQ_TASK. Then it sleeps for a second and looks once more. Our `sleep 1` lasts
// until the late process has LQ_TASK.
test("a process that gets LQ_TASK only after lq was killed ends as well", async () => {
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
  const [sleeps, again] = [project.path("sleeps"), project.path("again")];
  project.write(
    "bin/sleep",
    `#!/bin/sh
[ "$1" = 1 ] || exec /bin/sleep "$@"
: > '${sleeps}'
until test -e '${again}'; do /bin/sleep 0.01; done
`,
  );
  chmodSync(project.path("bin/sleep"), 0o755);
  vi.stubEnv("PATH", `${project.path("bin")}:${process.env["PATH"]}`);
  const lq = project.start("build");
  vi.unstubAllEnvs();
  const pid = await untilDaemon(project);
  lq.kill("SIGKILL");
  await lq.ended;
  await expect.poll(() => existsSync(sleeps)).toBe(true);
  project.write("go", "");
  await expect.poll(() => commandOf(pid)).toBe("/bin/sleep 1000");
  project.write("again", "");
  await gone(pid);
});

test("a build first ends the processes that a killed build left", async () => {
  // We kill the watchdog, too: otherwise it would end them.
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

/** Command line of a process; empty if the process has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
