/** Runs a `cmd` task: one process group, its output in the log. */
import { spawn } from "node:child_process";
import { GRACE, type Attempt, type AttemptResult } from "./attempt.ts";
import { TaskLog } from "./log.ts";
import { endGroup, trackGroup } from "./process-group.ts";

/** @param argv the program and its arguments; the working directory is the project root. */
export function runCommand(argv: readonly string[], attempt: Attempt): Promise<AttemptResult> {
  if (attempt.signal.aborted) return Promise.resolve({ kind: "cancelled" });
  return new Promise((resolve) => {
    const [program = "", ...args] = argv;
    const log = new TaskLog(attempt.log);
    const child = spawn(program, args, {
      cwd: attempt.root,
      env: { ...process.env, ...attempt.env },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    trackGroup(child);
    child.stdout.on("data", (chunk: Buffer) => log.write(chunk));
    child.stderr.on("data", (chunk: Buffer) => log.write(chunk));

    let timedOut = false;
    const end = (): void => endGroup(child, GRACE);
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
    // A daemon that left the group may hold the pipes: after the exit they are read no longer than the grace.
    child.once("exit", () =>
      setTimeout(() => (child.stdout.destroy(), child.stderr.destroy()), GRACE).unref(),
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
