/** The program of a thread that hashes files, one list at a time (hash-threads.ts). */
import { parentPort } from "node:worker_threads";
import { UserError, type Diagnostic } from "../model/errors.ts";
import { hashNow, type Hashed } from "./hash.ts";

/** A file: its absolute path, and the path that messages use. */
export interface Named {
  readonly location: string;
  readonly path: string;
}

export type FromThread =
  | { readonly type: "progress"; readonly path: string; readonly bytes: number }
  /** One result for each file, in the order of the list. */
  | { readonly type: "done"; readonly ends: readonly End[] };

/** The result for a file. A UserError is sent as its diagnostics: errors lose their class between threads. */
export type End = Hashed | { readonly diagnostics: readonly Diagnostic[] } | { readonly error: unknown };

parentPort?.on("message", (files: readonly Named[]) => post({ type: "done", ends: files.map(hash) }));

function hash({ location, path }: Named): End {
  try {
    return hashNow(location, path, (bytes) => post({ type: "progress", path, bytes }));
  } catch (error) {
    return error instanceof UserError ? { diagnostics: error.diagnostics } : { error };
  }
}

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}
