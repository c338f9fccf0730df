/** The messages between lq and a worker process. */
import type { Json } from "../model/model.ts";

export type ToWorker =
  | { readonly type: "run"; readonly job: Job }
  | { readonly type: "validate"; readonly module: ModuleFile; readonly params: readonly ParamValues[] }
  /** The build was cancelled: the running task's signal is aborted. */
  | { readonly type: "cancel" };

export type FromWorker =
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "validated"; readonly issues: readonly (readonly ParamIssue[])[] }
  | { readonly type: "progress"; readonly fraction: number; readonly note?: string }
  | { readonly type: "metrics"; readonly step: number; readonly values: { readonly [name: string]: number } };

export interface ModuleFile {
  /** As written in the pipeline, for messages. */
  readonly name: string;
  /** Absolute path of its bundle; its name changes with the code. */
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

/** The absolute paths of a role. */
export interface RolePaths {
  readonly role: string;
  readonly list: boolean;
  /** Empty for an input whose names alone count. */
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
