/**
 * What a user is told when something is wrong: a message, where it is, and what to do.
 * Errors of this kind never print a stack trace; anything else that escapes is a defect of lq.
 */

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

/** The request or the pipeline is wrong (exit code 2). Carries every problem found, not only the first. */
export class UserError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: Diagnostic | readonly Diagnostic[] | string) {
    const list: readonly Diagnostic[] =
      typeof diagnostics === "string"
        ? [{ message: diagnostics }]
        : Array.isArray(diagnostics)
          ? (diagnostics as readonly Diagnostic[])
          : [diagnostics as Diagnostic];
    super(list.map((d) => d.message).join("\n"));
    this.name = "UserError";
    this.diagnostics = list;
  }
}
