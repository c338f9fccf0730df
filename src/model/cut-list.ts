/** Shortens long lists in messages to the first entries and a count of the others, with one wording for all of lq. */

export interface CutOptions {
  /** What the entries are, in the plural: "causes". */
  readonly noun?: string;
  /** Where the reader finds the whole list; null: nowhere. */
  readonly hint?: string | null;
}

/** The first entries of a list as lines, then "and 3 more causes (--json lists all)" if there are more. */
export function firstLines<T>(
  list: readonly T[],
  most: number,
  line: (entry: T) => string,
  options?: CutOptions,
): readonly string[] {
  return [...list.slice(0, most).map(line), ...moreLines(list.length, most, options)];
}

/** "and 3 more causes (--json lists all)", or nothing if all entries are shown. */
export function moreLines(
  length: number,
  shown: number,
  { noun, hint = "--json lists all" }: CutOptions = {},
): readonly string[] {
  if (length <= shown) return [];
  return [andMore(length - shown, noun) + (hint === null ? "" : ` (${hint})`)];
}

/** "and 3 more causes" */
export function andMore(count: number, noun?: string): string {
  return `and ${count} more${noun === undefined ? "" : ` ${noun}`}`;
}

/** "a, b, c and 3 more" */
export function firstNames(names: readonly string[], most: number): string {
  const more = moreLines(names.length, most, { hint: null });
  return [names.slice(0, most).join(", "), ...more].join(" ");
}
