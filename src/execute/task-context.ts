/** Makes the context that a task module's `run` gets, inside a worker. */
import type { TaskContext } from "../api.ts";
import type { TaskLog } from "./log.ts";
import type { FromWorker, Job, RolePaths } from "./worker-messages.ts";

/** Milliseconds between two progress messages of a task. */
const PROGRESS_INTERVAL = 100;

export function taskContext<P>(
  job: Job,
  params: P,
  signal: AbortSignal,
  log: TaskLog,
  send: (message: FromWorker) => void,
): TaskContext<P> {
  let reported = -Infinity;
  return {
    params,
    input: (role = "in") => single(job.inputs, "input", role),
    inputs: (role = "in") => find(job.inputs, "input", role).paths,
    files: (role = "in") => {
      const { paths, files } = find(job.inputs, "input", role);
      if (paths.length < files.length) throw namesOnly(role);
      if (!paths.every((path) => path.endsWith("/"))) throw new Error(`input "${role}" is not a directory`);
      return paths.flatMap((path, index) =>
        (files[index] ?? []).map((name) => ({ name, path: path + name })),
      );
    },
    names: (role = "in") => find(job.inputs, "input", role).files.flat(),
    output: (role = "out") => single(job.outputs, "output", role),
    outputs: (role = "out") => find(job.outputs, "output", role).paths,
    devices: job.devices,
    cpus: job.cpus,
    signal,
    scratch: job.scratch,
    progress(fraction, note) {
      const now = performance.now();
      if (now - reported < PROGRESS_INTERVAL && fraction < 1) return;
      reported = now;
      send({ type: "progress", fraction, ...(note === undefined ? {} : { note }) });
    },
    metrics: (step, values) => send({ type: "metrics", step, values }),
    log: (line) => log.write(`${line}\n`),
  };
}

function find(roles: readonly RolePaths[], kind: "input" | "output", role: string): RolePaths {
  const found = roles.find((candidate) => candidate.role === role);
  if (found !== undefined) return found;
  const known = roles.map((candidate) => `"${candidate.role}"`).join(", ") || "none";
  throw new Error(`the rule declares no ${kind} "${role}" (its ${kind}s: ${known})`);
}

function single(roles: readonly RolePaths[], kind: "input" | "output", role: string): string {
  const { list, paths, files } = find(roles, kind, role);
  if (paths.length < files.length) throw namesOnly(role);
  if (!list && paths[0] !== undefined) return paths[0];
  throw new Error(`${kind} "${role}" is a list: read it with ${kind}s("${role}")`);
}

function namesOnly(role: string): Error {
  return new Error(`input "${role}" declares only the names in a folder: read them with names("${role}")`);
}
