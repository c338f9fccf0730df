/** Whether a job is over, as Slurm says. */
import { jobPhase } from "./queue.ts";
import { slurm } from "./command.ts";

/** False also if Slurm does not answer, or is not here. */
export async function isJobOver(job: string): Promise<boolean> {
  try {
    const { code, stdout, stderr } = await slurm("squeue", [
      "--noheader",
      "--states=all",
      "--format=%T",
      `--jobs=${job}`,
    ]);
    // Slurm forgets a job some minutes after its end.
    if (code !== 0) return /invalid job id/i.test(stderr);
    return stdout
      .split("\n")
      .filter(Boolean)
      .every((state) => jobPhase(state) === "over");
  } catch {
    return false;
  }
}
