/** Runs a `cmd` task: one process tree, its output in the log. */
import { spawn } from "node:child_process";
import { graceOf, type Attempt, type AttemptResult } from "./attempt.ts";
import { TaskLog } from "./log.ts";
import { MARK, newMark, ProcessTree } from "./process-tree.ts";

/** Milliseconds after its exit that a command's output is still read from what it left running. */
const LINGER = 1000;

/** @param argv the program and its arguments; the working directory is the project root. */
export function runCommand(argv: readonly string[], attempt: Attempt): Promise<AttemptResult> {
  if (attempt.signal.aborted) return Promise.resolve({ kind: "cancelled" });
  return new Promise((resolve) => {
    const [program = "", ...args] = argv;
    const log = new TaskLog(attempt.log);
    const mark = newMark();
    const child = spawn(program, args, {
      cwd: attempt.root,
      env: { ...process.env, ...attempt.env, [MARK]: mark },
      detached: true,
      stdio: ["ignore", "pipe", "pipe", ...attempt.leases.map(({ descriptor }) => descriptor)],
    });
    const tree = new ProcessTree(child, mark);
    child.stdout?.on("data", (chunk: Buffer) => log.write(chunk));
    child.stderr?.on("data", (chunk: Buffer) => log.write(chunk));

    let timedOut = false;
    const end = (): void => tree.end(graceOf(attempt));
    const timer =
      attempt.timeout === null
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            end();
          }, attempt.timeout * 1000);
    attempt.signal.addEventListener("abort", end, { once: true });

    const finish = (result: AttemptResult): void => {
      clearTimeout(timer);
      attempt.signal.removeEventListener("abort", end);
      log.close();
      resolve(result);
    };
    child.once("error", (error) => {
      if (child.pid === undefined) finish({ kind: "failed", error: cannotStart(program, error) });
    });
    child.once("exit", () =>
      setTimeout(() => (child.stdout?.destroy(), child.stderr?.destroy()), LINGER).unref(),
    );
    child.once("close", (code, signal) => {
      if (attempt.signal.aborted) finish({ kind: "cancelled" });
      else if (timedOut)
        finish({ kind: "failed", error: `it took longer than its timeout of ${attempt.timeout} s` });
      else if (code === 0) finish({ kind: "done" });
      else finish({ kind: "failed", error: signal === null ? `exit code ${code}` : `ended by ${signal}` });
    });
  });
}

function cannotStart(program: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `there is no program "${program}"`;
  if (error.code === "EACCES") return `"${program}" may not be executed`;
  return `cannot start "${program}": ${error.message}`;
}
