/**
 * The program of a worker process. It imports bundled task modules and runs their tasks, one at a time. Modules stay
 * loaded between tasks, so that a later task can use what they hold, such as a loaded network.
 */
import { pathToFileURL } from "node:url";
import type { TaskDefinition } from "../api.ts";
import { TaskLog } from "./log.ts";
import { taskContext } from "./task-context.ts";
import type { FromWorker, Job, ModuleFile, ParamIssue, ParamValues, ToWorker } from "./worker-messages.ts";

const modules = new Map<string, Promise<TaskDefinition<unknown>>>();
let cancel: AbortController | null = null;

process.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "run":
      return void run(message.job).then(send);
    case "validate":
      return void validateAll(message.module, message.params).then(send);
    case "cancel":
      return cancel?.abort();
  }
});
// lq sends this when it no longer needs this process. A batch system sends it to all processes; then it means the same
// as a cancelled build.
for (const name of ["SIGTERM", "SIGUSR1", "SIGHUP"] as const)
  process.on(name, () => (cancel === null ? process.exit(0) : cancel.abort()));
// lq has ended: nobody waits for the result, so end all processes of this worker.
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));

async function run(job: Job): Promise<FromWorker> {
  const log = new TaskLog(job.log);
  const restore = captureOutput(log);
  cancel = new AbortController();
  try {
    const definition = await load(job.module);
    const { params, issues } = await validate(definition, job.params);
    if (issues.length > 0) return { type: "failed", error: describeIssues(issues) };
    await definition.run(taskContext(job, params, cancel.signal, log, send));
    return { type: "done" };
  } catch (error) {
    log.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return { type: "failed", error: error instanceof Error ? error.message : String(error) };
  } finally {
    cancel = null;
    restore();
    log.close();
  }
}

async function validateAll(module: ModuleFile, values: readonly ParamValues[]): Promise<FromWorker> {
  try {
    const definition = await load(module);
    const issues = await Promise.all(
      values.map(async (params) => (await validate(definition, params)).issues),
    );
    return { type: "validated", issues };
  } catch (error) {
    return { type: "failed", error: error instanceof Error ? error.message : String(error) };
  }
}

function load(module: ModuleFile): Promise<TaskDefinition<unknown>> {
  let loading = modules.get(module.bundle);
  if (loading === undefined) {
    loading = import(pathToFileURL(module.bundle).href).then((loaded: { default?: unknown }) => {
      if (isDefinition(loaded.default)) return loaded.default;
      throw new Error(`${module.name} has no task: write "export default task({ … })"`);
    });
    modules.set(module.bundle, loading);
  }
  return loading;
}

function isDefinition(value: unknown): value is TaskDefinition<unknown> {
  return typeof value === "object" && value !== null && "run" in value && typeof value.run === "function";
}

async function validate(
  definition: TaskDefinition<unknown>,
  params: ParamValues,
): Promise<{ params: unknown; issues: readonly ParamIssue[] }> {
  if (definition.params === undefined) {
    const message = "the module declares no such param";
    return { params: {}, issues: Object.keys(params).map((path) => ({ path, message })) };
  }
  const result = await definition.params["~standard"].validate(params);
  if (result.issues === undefined) return { params: result.value, issues: [] };
  const issues = result.issues.map((issue) => ({
    path: (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join("."),
    message: issue.message,
  }));
  return { params: null, issues };
}

function describeIssues(issues: readonly ParamIssue[]): string {
  return issues.map(({ path, message }) => `param ${path || "values"}: ${message}`).join("; ");
}

/** Writes the task's output from JavaScript to its log. lq itself reads the output of native code from the pipes. */
function captureOutput(log: TaskLog): () => void {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write.bind(stream));
  for (const stream of streams) {
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      log.write(chunk);
      const done = rest.find((argument) => typeof argument === "function") as (() => void) | undefined;
      if (done !== undefined) process.nextTick(done);
      return true;
    };
  }
  return () => {
    for (const [index, write] of originals.entries()) Object.assign(streams[index] ?? {}, { write });
  };
}

function send(message: FromWorker): void {
  process.send?.(message);
}
