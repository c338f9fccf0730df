/**
 * Keeps worker processes for reuse. A worker gets only tasks of its environment, because its devices are set when it
 * starts. It prefers tasks of the module that it ran last.
 */
import { debug } from "../system/debug.ts";
import { fork, type ChildProcess } from "node:child_process";
import { entryPoint } from "../system/entry-points.ts";
import { userErrorOf } from "../model/errors.ts";
import { graceOf, type Attempt, type AttemptResult, type DeviceLease } from "./attempt.ts";
import { afterAwake } from "../system/awake.ts";
import { environmentText } from "./environment.ts";
import { TaskLog } from "./log.ts";
import { inheritedEnvironment } from "../system/inherited-environment.ts";
import { MARK, newMark, ProcessTree } from "../system/process-tree.ts";
import type { TaskReports } from "./task-reports.ts";
import type { FromWorker, Job, ModuleFile, ParamIssue, ParamValues, ToWorker } from "./worker-messages.ts";

export type WorkerJob = Omit<Job, "devices" | "cpus" | "scratch" | "log">;

/** Milliseconds that a worker gets to end when it is no longer needed. */
const LEAVE = 1000;

interface Worker {
  readonly child: ChildProcess;
  readonly tree: ProcessTree;
  readonly environment: string;
  /** The bundle that it ran last. */
  bundle: string;
  busy: boolean;
  receive: (message: FromWorker) => void;
  /** Called with the output of native code. */
  print: (chunk: Buffer) => void;
  /** Called when the process has ended, with how it ended. */
  lost: (how: string) => void;
}

export class WorkerPool {
  readonly #root: string;
  /** The program that runs workers. */
  readonly #node: string;
  readonly most: number;
  /** The worker used last is last. */
  readonly #workers: Worker[] = [];

  /** @param most how many idle processes to keep at most */
  constructor(root: string, most: number, node: string = process.execPath) {
    this.#node = node;
    this.#root = root;
    this.most = most;
  }

  async run(
    job: WorkerJob,
    attempt: Attempt,
    reports: Pick<TaskReports, "progress" | "metrics">,
  ): Promise<AttemptResult> {
    if (attempt.signal.aborted) return { kind: "cancelled" };
    const worker = await this.#acquire(attempt.env, job.module.bundle, attempt.leases);
    const log = new TaskLog(attempt.log);
    worker.print = (chunk) => log.write(chunk);
    let timedOut = false;
    let cancelKill = (): void => undefined;
    const cancel = (): void => {
      post(worker, { type: "cancel" });
      cancelKill();
      cancelKill = afterAwake(graceOf(attempt), () => worker.tree.kill());
    };
    const stopClock =
      attempt.timeout === null
        ? undefined
        : afterAwake(attempt.timeout * 1000, () => {
            timedOut = true;
            cancel();
          });
    attempt.signal.addEventListener("abort", cancel, { once: true });

    const result = await new Promise<AttemptResult>((resolve) => {
      worker.lost = (how) => resolve({ kind: "failed", error: `its process ended before it did (${how})` });
      worker.receive = (message) => {
        if (message.type === "progress") reports.progress(message.fraction, message.note);
        else if (message.type === "metrics") reports.metrics(message.step, message.values);
        else if (message.type === "done") resolve({ kind: "done" });
        else if (message.type === "failed") resolve({ kind: "failed", error: message.error });
      };
      const { devices, cpus, scratch } = attempt;
      debug.exec?.(`worker ${worker.child.pid} runs ${job.module.name}`);
      post(worker, { type: "run", job: { ...job, devices, cpus, scratch, log: attempt.log } });
    });
    debug.exec?.(`worker ${worker.child.pid}: ${job.module.name} ${result.kind}`);
    stopClock?.();
    cancelKill();
    attempt.signal.removeEventListener("abort", cancel);
    log.close();
    const ended = attempt.signal.aborted || timedOut;
    // Ending the process also ends what the task left running and frees the device memory that it still holds.
    if (ended || (result.kind === "failed" && attempt.devices.length > 0)) await end(worker);
    else this.#release(worker);
    if (attempt.signal.aborted) return { kind: "cancelled" };
    if (timedOut) return { kind: "failed", error: `it took longer than its timeout of ${attempt.timeout} s` };
    return result;
  }

  /**
   * Finds the mistakes in several sets of params of one module.
   * @param signal ends the check, even while the module loads
   * @throws Error when the module cannot be loaded
   */
  async validate(
    module: ModuleFile,
    params: readonly ParamValues[],
    env: { readonly [name: string]: string },
    signal?: AbortSignal,
  ): Promise<readonly (readonly ParamIssue[])[]> {
    const worker = await this.#acquire(env, module.bundle);
    const kill = (): void => worker.tree.kill();
    signal?.addEventListener("abort", kill, { once: true });
    if (signal?.aborted === true) kill();
    try {
      return await new Promise((resolve, reject) => {
        worker.lost = (how) => reject(new Error(`the process that loads ${module.name} ended (${how})`));
        worker.receive = (message) => {
          if (message.type === "validated") resolve(message.issues);
          else if (message.type === "failed") reject(new Error(message.error));
        };
        post(worker, { type: "validate", module, params });
      });
    } finally {
      signal?.removeEventListener("abort", kill);
      this.#release(worker);
    }
  }

  /** Ends every worker; resolves when all are gone. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map(dismiss));
  }

  async #acquire(
    env: { readonly [name: string]: string },
    bundle: string,
    leases: readonly DeviceLease[] = [],
  ): Promise<Worker> {
    const descriptors = leases.map(({ descriptor }) => descriptor);
    const environment = `${descriptors.join(",")}\0${environmentText(env)}`;
    const idle = this.#workers.filter((worker) => !worker.busy && worker.environment === environment);
    const worker =
      idle.findLast((candidate) => candidate.bundle === bundle) ??
      idle.at(-1) ??
      (await this.#start(env, environment, leases));
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    this.#workers.push(worker);
    worker.busy = true;
    worker.bundle = bundle;
    return worker;
  }

  async #start(
    env: { readonly [name: string]: string },
    environment: string,
    leases: readonly DeviceLease[],
  ): Promise<Worker> {
    const mark = newMark();
    const child = fork(await entryPoint("worker"), {
      cwd: this.#root,
      env: { ...inheritedEnvironment(), ...env, [MARK]: mark },
      execPath: this.#node,
      execArgv: ["--enable-source-maps"],
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "ipc", ...leases.map(({ descriptor }) => descriptor)],
    });
    const worker: Worker = {
      child,
      tree: new ProcessTree(child, mark),
      environment,
      bundle: "",
      busy: true,
      receive: () => undefined,
      print: () => undefined,
      lost: () => undefined,
    };
    this.#workers.push(worker);
    for (const { dropped } of leases)
      dropped.addEventListener("abort", () => void dismiss(worker), { once: true });
    child.stdout?.on("data", (chunk: Buffer) => worker.print(chunk));
    child.stderr?.on("data", (chunk: Buffer) => worker.print(chunk));
    child.on("message", (message: FromWorker) => worker.receive(message));
    const drop = (how: string): void => {
      const index = this.#workers.indexOf(worker);
      if (index !== -1) this.#workers.splice(index, 1);
      worker.lost(how);
    };
    child.once("error", (error) => drop((userErrorOf(error) ?? error).message));
    child.once("close", (code, signal) => drop(signal ?? `exit code ${code}`));
    return worker;
  }

  #release(worker: Worker): void {
    worker.busy = false;
    worker.receive = worker.lost = () => undefined;
    const idle = this.#workers.filter((candidate) => !candidate.busy);
    if (idle.length > this.most) void dismiss(idle[0]!);
  }
}

function post(worker: Worker, message: ToWorker): void {
  // A process that has ended emits "close".
  worker.child.send(message, () => undefined);
}

/** Ends a worker that is idle. */
function dismiss(worker: Worker): Promise<void> {
  worker.busy = true;
  return gone(worker, () => worker.tree.dismiss(LEAVE));
}

/** Ends a worker whose task may have left other processes. */
function end(worker: Worker): Promise<void> {
  return gone(worker, () => worker.tree.end(LEAVE));
}

function gone({ child }: Worker, start: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    start();
  });
}
