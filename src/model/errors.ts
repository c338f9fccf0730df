/**
 * What lq tells a user when something is wrong: a message, the place, and what to do.
 * Errors of this kind never print a stack trace. Any other error that escapes is a defect of lq.
 */

import { constants } from "node:os";

/** A half-open range of character offsets in a text file. */
export interface Span {
  /** Path as the user knows it, relative to the project where possible. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface Diagnostic {
  readonly message: string;
  readonly span?: Span;
  /** What to do about it, one sentence ("did you mean …?"). */
  readonly hint?: string;
}

/** The request or the pipeline is wrong (exit code 2). Has every problem that was found, not only the first. */
export class UserError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  /** @param options `cause`: the system's error, when this error reports one */
  constructor(diagnostics: Diagnostic | readonly Diagnostic[] | string, options?: ErrorOptions) {
    const list: readonly Diagnostic[] =
      typeof diagnostics === "string"
        ? [{ message: diagnostics }]
        : Array.isArray(diagnostics)
          ? (diagnostics as readonly Diagnostic[])
          : [diagnostics as Diagnostic];
    super(list.map((d) => d.message).join("\n"), options);
    this.name = "UserError";
    this.diagnostics = list;
  }

  /** Compare by name: the command line and the chunks that it loads on demand each have a copy of this class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "UserError";
  }
}

const FULL = { why: "the disk is full", hint: "free some space and build again: what was done is kept" };
const DENIED = { why: "permission denied", hint: "check the permissions of it and of the folders above it" };
const OPEN = { why: "too many files are open", hint: "raise the limit, as with `ulimit -n 4096`" };
const FEWER = "build with less at once, as with `-j 2`";
const MANY = {
  why: "too many processes run",
  hint: `${FEWER}, or raise the limit, as with \`ulimit -u 4096\``,
};
const GONE = {
  why: "it was removed while lq ran",
  hint: "leave cache/ alone as long as lq runs, and build again",
};
/** Node's code for a `Worker` that cannot start. */
const NO_THREAD = "ERR_WORKER_INIT_FAILED";
const ABSENT = { why: "there is no such program", hint: "install it, or add its folder to PATH" };
const AGAIN = "build again: what was done is kept";
const IN_USE = { why: "a program still has a file there open", hint: "end it, and build again" };
/** The meaning of system errors, by their code. */
const REFUSALS = new Map<string | undefined, { readonly why: string; readonly hint?: string }>([
  ["ENOSPC", FULL],
  ["EDQUOT", FULL],
  ["EACCES", DENIED],
  ["EPERM", DENIED],
  ["EMFILE", OPEN],
  ["ENFILE", OPEN],
  ["ENOTDIR", { why: "a folder of that path is a file", hint: "move that file away" }],
  ["EROFS", { why: "the file system is read-only" }],
  // lq checks whether a user's file exists before it opens the file. Only lq's own files give this error.
  ["ENOENT", GONE],
  ["EAGAIN", MANY],
  [NO_THREAD, MANY],
  ["ENOMEM", { why: "there is not enough memory", hint: FEWER }],
  ["EIO", { why: "the disk reports an error" }],
  ["ESTALE", { why: "another machine removed or replaced it meanwhile", hint: AGAIN }],
  ["EEXIST", { why: "something is there already", hint: AGAIN }],
  ["EBUSY", IN_USE],
  ["ENOTEMPTY", IN_USE],
  ["ENAMETOOLONG", { why: "the name is too long" }],
  ["ETIMEDOUT", { why: "the file server does not answer", hint: AGAIN }],
]);

/** An error as a user sees it: a UserError itself, or what the system refused to do. Undefined for a defect of lq. */
export function userErrorOf(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  if (!(error instanceof Error)) return undefined;
  const code = errorCode(error);
  const { syscall = code === NO_THREAD ? "start a thread" : "write", path } = error as NodeJS.ErrnoException;
  // Node writes "spawn" or "spawn PROGRAM".
  const isStart = syscall.startsWith("spawn");
  const refusal = isStart && code === "ENOENT" ? ABSENT : REFUSALS.get(code);
  if (refusal === undefined) return undefined;
  const { why, hint } = refusal;
  const what = isStart ? `start ${path ?? "a process"}` : `${syscall}${path === undefined ? "" : ` ${path}`}`;
  const message = `cannot ${what}: ${why}`;
  return new UserError({ message, ...(hint === undefined ? {} : { hint }) }, { cause: error });
}

/** The name of a system error ("ENOENT"). Also finds names that Node does not know, such as EDQUOT and ESTALE. */
export function errorCode(error: unknown): string | undefined {
  const { code, errno } = error as NodeJS.ErrnoException;
  return code?.startsWith("Unknown system error") === true && errno !== undefined
    ? (Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0] ?? code)
    : code;
}
