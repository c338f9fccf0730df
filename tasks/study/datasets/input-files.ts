/** The files of a task's input, which a rule may declare as paths or as a folder. */
import { basename } from "node:path";
import type { TaskContext } from "lq";

/** Absolute paths of the input's files, in the declared order. The files of a folder are sorted by name. */
export function pathsOf(context: Pick<TaskContext<unknown>, "inputs" | "files">, role: string): string[] {
  return context
    .inputs(role)
    .flatMap((path) => (path.endsWith("/") ? context.files(role).map((file) => file.path) : [path]));
}

/**
 * The path of a volume, or of a folder of masks. Its role may be declared as a list: of the file as it is stored, or as
 * it is converted, whichever there is.
 * @throws Error unless there is one
 */
export function volumeOf({ inputs }: Pick<TaskContext<unknown>, "inputs">, role: string): string {
  const [path, ...more] = inputs(role);
  if (path !== undefined && more.length === 0) return path;
  throw new Error(`input "${role}" has ${more.length + (path === undefined ? 0 : 1)} files; one is expected`);
}

/** "prepared/btcv/images/0001.nii" → "0001" */
export function caseOf(path: string): string {
  return basename(path).replace(/\.nii(\.gz)?$/i, "");
}
