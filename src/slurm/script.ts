/** The script of a job. */
import type { Submission } from "../batch/system.ts";
import { shellQuote } from "../system/quote.ts";

/** Exit codes with which the script says what the node lacks. */
export const NO_PROJECT = 97;
export const NO_PROGRAM = 98;

/**
 * Slurm starts a job in /tmp if its folder is not there, so the script looks itself. The signal before the end of the
 * time goes to the script's process alone, which becomes lq's process.
 */
export function jobScript({ root, folder, command, request }: Submission): string {
  const [program = ""] = command;
  const [setup = ""] = request.settings.get("setup") ?? [];
  return `#!/bin/bash
trap : USR1
cd ${shellQuote(root)} && [ -d ${shellQuote(folder)} ] || exit ${NO_PROJECT}
${setup}
[ -x ${shellQuote(program)} ] || exit ${NO_PROGRAM}
exec ${command.map(shellQuote).join(" ")} ${shellQuote(folder)} "\${SLURM_ARRAY_TASK_ID:-0}" \\
  "\${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}\${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}" \\
  "\${SLURM_RESTART_COUNT:-0}" "$SLURMD_NODENAME"
`;
}
