/** Ctrl-Z, suspended batch jobs, closed laptops: the time of a suspension does not count as a task's time. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { afterAwake } from "../../src/system/awake.ts";
import { HOME } from "../helpers/bundle.ts";
import { cliProject } from "../helpers/cli.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a timeout does not count the time while lq was stopped", () => {
  vi.useFakeTimers();
  const now = performance.now.bind(performance);
  let stopped = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now() + stopped);
  const act = vi.fn();
  afterAwake(3000, act);
  vi.advanceTimersByTime(1500);
  stopped = 3_600_000;
  vi.advanceTimersByTime(1500);
  expect(act).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(act).toHaveBeenCalledOnce();
});

test("a cancelled timeout does nothing", () => {
  vi.useFakeTimers();
  const act = vi.fn();
  const callOff = afterAwake(3000, act);
  vi.advanceTimersByTime(2500);
  callOff();
  vi.advanceTimersByTime(10_000);
  expect(act).not.toHaveBeenCalled();
});

test("timeouts may be longer than Node's longest timer", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  cmd: { cmd: "echo 1 > \${out}", out: cmd.txt, timeout: 60d }
  run: { run: run.ts, out: run.txt, timeout: 60d }
`,
    "run.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ output }) => writeFileSync(output(), "1") });
`,
  });
  const { code, stdout, stderr } = await project.lq("build");
  expect([code, stdout, stderr]).toEqual([0, expect.stringContaining("2 ran"), ""]);
});

test.runIf(process.platform === "linux")(
  "Ctrl-Z stops what runs with lq, and all goes on with it",
  async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  held: { cmd: "echo $BASHPID > started; cat gate > \${out}", out: held.txt }
`,
    });
    execFileSync(
      "mkfifo",
      ["started", "gate", "over"].map((name) => project.path(name)),
    );
    // lq needs to be the job of a shell, which can continue it.
    const script = `set -m; "$0" "$1" build -q & echo $!; read < over; wait $!`;
    const shell = spawn("bash", ["-c", script, process.execPath, `${HOME}dist/cli.cjs`], {
      cwd: project.root,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const over = once(shell, "exit");
    const [first] = (await once(shell.stdout, "data")) as [Buffer];
    const lq = Number.parseInt(first.toString());
    const task = Number(await project.received("started"));
    const state = (pid: number): string => readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[2] ?? "";

    process.kill(lq, "SIGTSTP");
    await expect.poll(() => [state(lq), state(task)], { interval: 10 }).toEqual(["T", "T"]);
    process.kill(lq, "SIGCONT");
    await expect.poll(() => state(task), { interval: 10 }).not.toBe("T");
    project.write("gate", "open\n");
    project.write("over", "\n");
    expect(await over).toEqual([0, null]);
    expect(project.read("held.txt")).toBe("open\n");
  },
);
