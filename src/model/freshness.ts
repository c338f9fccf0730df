/** The state of a task, and the reasons for it. */
import type { Json } from "./model.ts";

export type Reason =
  | { readonly kind: "never-built" }
  | { readonly kind: "forced" }
  | { readonly kind: "output-missing"; readonly path: string }
  /** The file there is not the output that the task last finished. The cache has that output. */
  | { readonly kind: "output-replaced"; readonly path: string }
  /** An output differs from what lq wrote. */
  | { readonly kind: "output-edited"; readonly path: string }
  /** lq did not make what is at the output's path. */
  | { readonly kind: "output-foreign"; readonly path: string }
  /** @property why "labels/1.txt cannot be read: permission denied" */
  | { readonly kind: "output-unreadable"; readonly path: string; readonly why: string }
  | ({ readonly kind: "file"; readonly path: string } & ContentChange)
  | {
      readonly kind: "param";
      readonly path: string;
      readonly before: Json | undefined;
      readonly after: Json | undefined;
    }
  /** @property by the file that loads it, if lq knows it */
  | ({ readonly kind: "code"; readonly file: string; readonly by?: string } & ContentChange)
  | {
      readonly kind: "package";
      readonly name: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  | { readonly kind: "command"; readonly before: string; readonly after: string }
  | {
      readonly kind: "env" | "tool";
      readonly name: string;
      readonly before: string | null;
      readonly after: string | null;
    }
  /** The declared inputs or outputs themselves changed (a role added, renamed, removed). */
  | { readonly kind: "declaration"; readonly what: string }
  /** The last attempt with this key failed. */
  | { readonly kind: "failed-before" };

export interface ContentChange {
  readonly change: "changed" | "added" | "removed";
  /** Digests. They are left out if only the file's name counts. */
  readonly before?: string;
  readonly after?: string;
}

/** The state of a task according to the records, in the words of `lq status`. */
export type Freshness =
  | { readonly state: "fresh"; readonly key: string }
  | { readonly state: "restorable"; readonly key: string; readonly reasons: readonly Reason[] }
  | {
      readonly state: "stale" | "missing" | "failed";
      readonly key: string;
      readonly reasons: readonly Reason[];
    }
  /** An upstream task must run first. Whether this task runs depends on the outputs of that one. */
  | {
      readonly state: "pending";
      readonly on: readonly string[];
      /** Inputs that nothing makes and that are not there: the task cannot run before they are. */
      readonly lacks: readonly string[];
    };
