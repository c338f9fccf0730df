/** Defines the messages between lq and a worker process. */
import type { Json } from "../model/model.ts";

export type ToWorker =
  | { readonly type: "run"; readonly job: Job }
  | { readonly type: "validate"; readonly module: ModuleFile; readonly params: readonly ParamValues[] }
  /** The build was cancelled: abort the signal of the running task. */
  | { readonly type: "cancel" };

export type FromWorker =
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "validated"; readonly issues: readonly (readonly ParamIssue[])[] }
  | { readonly type: "progress"; readonly fraction: number; readonly note?: string }
  | { readonly type: "metrics"; readonly step: number; readonly values: { readonly [name: string]: number } };

export interface ModuleFile {
  /** The name in the pipeline, for messages. */
  readonly name: string;
  /** Absolute path of its bundle. The name changes with the code. */
  readonly bundle: string;
}

export interface Job {
  readonly module: ModuleFile;
  readonly params: ParamValues;
  readonly inputs: readonly RolePaths[];
  readonly outputs: readonly RolePaths[];
  readonly devices: readonly string[];
  readonly cpus: number;
  readonly scratch: string | null;
  readonly log: string;
}

/** An input or output of a task, with absolute paths. */
export interface RolePaths {
  readonly role: string;
  readonly list: boolean;
  /** Empty for an input that declares only the names in a folder. */
  readonly paths: readonly string[];
  /** Names under each directory, sorted; empty for a file. */
  readonly files: readonly (readonly string[])[];
}

export interface ParamValues {
  readonly [name: string]: Json;
}

export interface ParamIssue {
  /** "training.epochs"; empty for the params as a whole. */
  readonly path: string;
  readonly message: string;
}
