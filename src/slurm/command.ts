/** Runs a command of Slurm. */
import { spawn } from "node:child_process";

export interface Answer {
  /** Null: it was ended because it took too long. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds. A busy controller may take a minute. */
const PATIENCE = 120_000;

/** @throws NodeJS.ErrnoException ENOENT if there is no such program */
export function slurm(program: string, words: readonly string[], input = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      env: environment(),
      stdio: ["pipe", "pipe", "pipe"],
      timeout: PATIENCE,
      // Ctrl-C in the terminal is for lq, which then cancels its jobs with such a command.
      detached: true,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8").trim(),
      }),
    );
  });
}

/** Variables that belong to lq's own job or task, and not to the jobs that it submits. */
const OWN =
  /^(SLURM_(?!CONF$)|SLURMD_|LQ_TASK|LQ_REMOTE_|LQ_METRICS$|CUDA_VISIBLE_DEVICES$|GPU_DEVICE_ORDINAL$|TMPDIR$)/;

/** lq's environment, which `sbatch` gives to the job. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.test(name)));
}

/** Whether the controller did not answer. Whether it did what it was asked for is then unknown. */
export function isAway({ code, stderr }: Answer): boolean {
  return (
    code === null ||
    /contact slurm controller|connect failure|connection refused|timed out|zero bytes|communication|slurm_load_jobs error|unable to establish|backup controller|not responding|in standby/i.test(
      stderr,
    )
  );
}
