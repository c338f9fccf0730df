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
  /** All paths of an input role that was written as a list (or the single one), absolute, in order. */
  readonly inputs: (role?: string) => readonly string[];
  /**
   * The files under a directory input, exactly those that the task's key covers, sorted by name.
   * `name` is relative to the directory, with "/" between parts; `path` is absolute.
   */
  readonly files: (role?: string) => readonly { readonly name: string; readonly path: string }[];
  /** Names of the files under an input `{ names: FOLDER/ }`, relative to the folder, sorted. What is in them is not the task's to read. */
  readonly names: (role?: string) => readonly string[];
  /** Where to write an output (default role "out"), absolute, in a staging folder that exists. A directory ends in "/". */
  readonly output: (role?: string) => string;
  /** All paths of an output role that was written as a list, in order. */
  readonly outputs: (role?: string) => readonly string[];
  /** Ids of the devices handed out; empty on the CPU. */
  readonly devices: readonly string[];
  /** Cores held: use no more threads than this. */
  readonly cpus: number;
  /**
   * Aborted when the task is to end: the build was cancelled, or the machine is about to be taken away. A task
   * that heeds it throws (`signal.throwIfAborted()`); whatever it does, its process is ended soon after: within
   * 2 s, or, with `resume: true` and when a batch system asks (SIGTERM, SIGUSR1), within the rule's `grace`.
   */
  readonly signal: AbortSignal;
  /**
   * For rules with `resume: true`, else null: a folder, absolute, that is kept until an attempt with this very key
   * succeeds. A resumable task reads at its start what it finds here; writes its state now and then, and once more
   * when `signal` aborts, under another name first and renamed then, for it may be killed at any instant; and
   * makes the same outputs however often it was interrupted.
   */
  readonly scratch: string | null;
  /** How far the task is (0…1), and what it is at. */
  readonly progress: (fraction: number, note?: string) => void;
  /** A line for the task's log. */
  readonly log: (line: string) => void;
}

/** Declares a task module; the module's default export. */
export function task<P = Record<string, never>>(definition: TaskDefinition<P>): TaskDefinition<P> {
  return definition;
}
