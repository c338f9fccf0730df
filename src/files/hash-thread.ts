/** The program of a thread that hashes files, a list at a time (hash-threads.ts). */
import { parentPort } from "node:worker_threads";
import { UserError, type Diagnostic } from "../model/errors.ts";
import { hashNow, type Hashed } from "./hash.ts";

/** A file: where it lies, and its name for people. */
export interface Named {
  readonly location: string;
  readonly path: string;
}

export type FromThread =
  | { readonly type: "progress"; readonly path: string; readonly bytes: number }
  /** One a file, in the order of the list. */
  | { readonly type: "done"; readonly ends: readonly End[] };

/** Errors lose their class on the way between threads. */
export type End = Hashed | { readonly diagnostics: readonly Diagnostic[] } | { readonly error: unknown };

parentPort?.on("message", (files: readonly Named[]) => tell({ type: "done", ends: files.map(hash) }));

function hash({ location, path }: Named): End {
  try {
    return hashNow(location, path, (bytes) => tell({ type: "progress", path, bytes }));
  } catch (error) {
    return error instanceof UserError ? { diagnostics: error.diagnostics } : { error };
  }
}

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}
