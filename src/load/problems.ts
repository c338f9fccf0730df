/** Gathers everything that is wrong, so that a user sees all of it at once. */
import { UserError, type Diagnostic, type Span } from "../errors.ts";

export class Problems {
  readonly #found: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  get count(): number {
    return this.#found.length;
  }

  /** Adds one problem; the same words at the same place count once. */
  add(message: string, span?: Span, hint?: string): void {
    const place = span ? `${span.file}:${span.start}:${span.end}` : "";
    const identity = `${place}\0${message}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#found.push({ message, ...(span && { span }), ...(hint !== undefined && { hint }) });
  }

  /** Adds what a `UserError` carries; anything else is a defect and is thrown on. */
  absorb(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    for (const { message, span, hint } of error.diagnostics) this.add(message, span, hint);
  }

  /** Throws a `UserError` with all problems in the order of the files, if there are any. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new UserError([...this.#found].sort(byPlace));
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (!a.span || !b.span) return Number(!a.span) - Number(!b.span);
  return a.span.file === b.span.file ? a.span.start - b.span.start : 0;
}
