/** Runs the tasks of a build as jobs of Slurm. */
import { BatchDriver } from "../batch/driver.ts";
import type { JobRequest } from "../batch/system.ts";
import type { Pipeline, Task } from "../model/model.ts";
import type { Recorder } from "../record/record.ts";
import type { Session } from "../session/session.ts";
import { entryPoint } from "../system/entry-points.ts";
import { readFacts } from "./facts.ts";
import { refuseWithoutSlurm } from "./programs.ts";
import { refuseImpossible } from "./refuse.ts";
import { mostMemoryOf, queueSettings, requestOf } from "./settings.ts";
import { Slurm } from "./slurm.ts";

export interface OpenOptions {
  readonly session: Session;
  readonly recorder: Recorder;
  readonly pipeline: Pipeline;
  /** Those that may run. */
  readonly tasks: readonly Task[];
  readonly notice: (text: string, level?: "info" | "warning") => void;
}

/** @throws UserError if Slurm is not here, or refuses a request */
export async function openSlurm({
  session,
  recorder,
  pipeline,
  tasks,
  notice,
}: OpenOptions): Promise<BatchDriver> {
  const queue = queueSettings(pipeline);
  refuseWithoutSlurm();
  const system = new Slurm(await readFacts());
  const requests = new Map<Task, JobRequest>();
  const requestOfTask = (task: Task): JobRequest => {
    let request = requests.get(task);
    if (request === undefined) requests.set(task, (request = requestOf(task, pipeline)));
    return request;
  };
  for (const task of tasks) mostMemoryOf(task, pipeline);
  await refuseImpossible(tasks, requestOfTask, system);
  const program = process.execPath;
  return new BatchDriver({
    ...{ session, recorder, system, program, notice, ...queue },
    systemName: "Slurm",
    command: [program, "--enable-source-maps", await entryPoint("job")],
    requestOf: requestOfTask,
    mostMemoryOf: (task) => mostMemoryOf(task, pipeline),
  });
}
