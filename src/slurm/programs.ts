/** The programs of Slurm that lq uses. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { UserError } from "../model/errors.ts";

const PROGRAMS = ["sbatch", "squeue", "scancel", "scontrol"];

/** @throws UserError if a program of Slurm is not on PATH */
export function refuseWithoutSlurm(): void {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = PROGRAMS.find((name) => !folders.some((folder) => existsSync(join(folder, name))));
  if (missing === undefined) return;
  throw new UserError({
    message: `there is no ${missing} here, so tasks cannot run on Slurm`,
    hint: "build on a login node of the cluster, or with --executor local",
  });
}
