/** A request as arguments of `sbatch`. */
import type { JobRequest } from "../batch/system.ts";

const PLAIN = ["partition", "account", "qos", "constraint", "reservation"];
const MEBIBYTE = 2 ** 20;

/**
 * @param tasks that the job runs one after another
 * @param avoid nodes that must not run it
 */
export function requestWords(
  request: JobRequest,
  tasks: number,
  avoid: readonly string[],
): readonly string[] {
  const { cpus, memory, seconds, grace, settings } = request;
  const text = (key: string): string => settings.get(key)?.[0] ?? "";
  const gres = gresOf(request);
  return [
    "--no-requeue",
    "--ntasks=1",
    "--nodes=1",
    `--cpus-per-task=${Math.max(1, cpus)}`,
    `--signal=B:USR1@${Math.round(grace)}`,
    ...(memory > 0 ? [`--mem=${Math.ceil(memory / MEBIBYTE)}M`] : []),
    ...(seconds === null ? [] : [`--time=${Math.max(1, Math.ceil((seconds * tasks) / 60))}`]),
    ...(gres.length > 0 ? [`--gres=${gres.join(",")}`] : []),
    ...PLAIN.flatMap((key) => (text(key) === "" ? [] : [`--${key}=${text(key)}`])),
    ...(avoid.length > 0 ? [`--exclude=${avoid.join(",")}`] : []),
    ...(settings.get("options") ?? []),
  ];
}

function gresOf({ gpus, settings }: JobRequest): readonly string[] {
  const others = settings.get("gres") ?? [];
  if (gpus === null) return others;
  return [`gpu:${gpus.type === null ? "" : `${gpus.type}:`}${gpus.count}`, ...others];
}
