/** The files of an input, whether it was declared as paths or as a folder. */
import { basename } from "node:path";
import type { TaskContext } from "lq";

/** Absolute paths of the input's files, in the order in which it was declared; of a folder, by name. */
export function pathsOf(context: Pick<TaskContext<unknown>, "inputs" | "files">, role: string): string[] {
  return context
    .inputs(role)
    .flatMap((path) => (path.endsWith("/") ? context.files(role).map((file) => file.path) : [path]));
}

/** "prepared/btcv/images/0001.nii" → "0001" */
export function caseOf(path: string): string {
  return basename(path).replace(/\.nii(\.gz)?$/, "");
}
