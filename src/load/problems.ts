/** Collects all problems, so that a user sees them together. */
import { andMore } from "../model/cut-list.ts";
import { UserError, type Diagnostic, type Span } from "../model/errors.ts";

/** How many messages lq keeps for one place. One mistake may concern thousands of tasks. */
const MAX_PER_PLACE = 10;

export class Problems {
  readonly #places = new Map<string, { readonly found: Map<string, Diagnostic>; more: number }>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds one problem. The same message at the same place counts once. */
  add(message: string, span?: Span, hint?: string): void {
    const name = span ? `${span.file}:${span.start}:${span.end}` : "";
    const place = this.#places.get(name) ?? { found: new Map<string, Diagnostic>(), more: 0 };
    this.#places.set(name, place);
    if (place.found.has(message)) return;
    this.#count++;
    if (span && place.found.size === MAX_PER_PLACE) place.more++;
    else place.found.set(message, { message, ...(span && { span }), ...(hint !== undefined && { hint }) });
  }

  /** Adds the problems of a `UserError`. Throws any other error again: it is a defect. */
  absorb(error: unknown): void {
    if (!(error instanceof UserError)) throw error;
    for (const { message, span, hint } of error.diagnostics) this.add(message, span, hint);
  }

  /** @throws UserError with all problems in the order of the files, if there are any */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const all = [...this.#places.values()].flatMap(({ found, more }) => {
      const shown = [...found.values()];
      const last = shown.at(-1);
      if (last && more > 0)
        shown[shown.length - 1] = { ...last, message: `${last.message} (${andMore(more, "here")})` };
      return shown;
    });
    throw new UserError(all.sort(byPlace));
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (!a.span || !b.span) return Number(!a.span) - Number(!b.span);
  return a.span.file === b.span.file ? a.span.start - b.span.start : 0;
}
