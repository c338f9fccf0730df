/** The files of a task's input, which a rule may declare as paths or as a folder. */
import { basename } from "node:path";
import type { TaskContext } from "lq";

/** Absolute paths of the input's files, in the declared order. The files of a folder are sorted by name. */
export function pathsOf(context: Pick<TaskContext<unknown>, "inputs" | "files">, role: string): string[] {
  return context
    .inputs(role)
    .flatMap((path) => (path.endsWith("/") ? context.files(role).map((file) => file.path) : [path]));
}

/** "prepared/btcv/images/0001.nii" → "0001" */
export function caseOf(path: string): string {
  return basename(path).replace(/\.nii(\.gz)?$/i, "");
}
