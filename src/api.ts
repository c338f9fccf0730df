/**
 * The public module of lq: `import { task } from "lq"`.
 *
 *     export default task({
 *       params: z.object({ tolerance: z.number() }),
 *       async run({ input, output, params, progress }) { … },
 *     });
 *
 * Any schema library that implements Standard Schema (zod, valibot, arktype …) can declare the params.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";

export interface TaskDefinition<P> {
  /** Schema of the rule's `with:` values; without one the module takes no params. */
  readonly params?: StandardSchemaV1<unknown, P>;
  run(context: TaskContext<P>): Promise<void> | void;
}

export interface TaskContext<P> {
  /** Validated params. */
  readonly params: P;
  /** The one path of an input role (default "in"), absolute. Throws if the role is unknown or a list. */
  readonly input: (role?: string) => string;
  /** All paths of an input role that is a list in pipeline.yaml (or the single path), absolute, in order. */
  readonly inputs: (role?: string) => readonly string[];
  /**
   * The files under a directory input, exactly those that the task's key covers, sorted by name.
   * `name` is relative to the directory, with "/" between parts; `path` is absolute.
   */
  readonly files: (role?: string) => readonly { readonly name: string; readonly path: string }[];
  /**
   * Names of the files under an input `{ names: FOLDER/ }`, relative to the folder, sorted. The task must not read
   * their content.
   */
  readonly names: (role?: string) => readonly string[];
  /**
   * Where to write an output (default role "out"), absolute, in a staging folder that exists. A directory ends in "/".
   */
  readonly output: (role?: string) => string;
  /** All paths of an output role that is a list in pipeline.yaml, in order. */
  readonly outputs: (role?: string) => readonly string[];
  /** Ids of the devices that the task may use; empty on the CPU. */
  readonly devices: readonly string[];
  /** Cores that the task may use. Use no more threads than this. */
  readonly cpus: number;
  /**
   * Aborts when the task has to end, because the build was cancelled or a batch system takes the machine away. A task
   * should then throw (`signal.throwIfAborted()`). lq kills its process in any case: after 2 s or, with `resume: true`
   * and a signal from a batch system (SIGTERM, SIGUSR1), after the rule's `grace`.
   */
  readonly signal: AbortSignal;
  /**
   * For rules with `resume: true`, the absolute path of a folder that lq keeps until an attempt with this key succeeds;
   * else null. A resumable task reads its state from here at the start. It writes its state from time to time, and once
   * more when `signal` aborts. It may be killed at any instant, so it must write to another name and then rename. It
   * must make the same outputs, no matter how often it was interrupted.
   */
  readonly scratch: string | null;
  /** Reports how far the task is (0…1), with a note on what it is doing. */
  readonly progress: (fraction: number, note?: string) => void;
  /** Reports numbers of one step, such as a loss. lq shows them while the task runs and keeps them beside its log. */
  readonly metrics: (step: number, values: { readonly [name: string]: number }) => void;
  /** Writes a line to the task's log. */
  readonly log: (line: string) => void;
}

/** Declares a task module. Use the result as the module's default export. */
export function task<P = Record<string, never>>(definition: TaskDefinition<P>): TaskDefinition<P> {
  return definition;
}
