/**
 * Reads code that is not Python. Every byte of such code counts. lq follows files that a shell or R script loads by a
 * plain name. It does not follow packages of R and Julia.
 */

export interface Loaded {
  /** Paths as they are written, relative to the folder in which the command runs. */
  readonly files: readonly string[];
  /** Lines that load a file whose name is computed. */
  readonly unknown: readonly { readonly what: string; readonly line: number }[];
}

const NOTHING: Loaded = { files: [], unknown: [] };

/** Each pattern has one group: the file's name without quotes, empty if the script computes the name. */
const LOADING = {
  shell: /^\s*(?:source|\.)\s+(?:"([^"$`]*)"|'([^']*)'|([\w@%+=:,./-]+))?/,
  r: /\bsource\(\s*(?:"([^"]*)"|'([^']*)')?/,
};

export function loadedBy(path: string, text: string): Loaded {
  const loading = /\.(sh|bash)$/.test(path) ? LOADING.shell : /\.[rR]$/.test(path) ? LOADING.r : null;
  if (loading === null) return NOTHING;
  const files: string[] = [];
  const unknown: { what: string; line: number }[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trimStart().startsWith("#")) continue;
    const match = loading.exec(line);
    if (match === null) continue;
    const name = match.slice(1).find((group) => group !== undefined);
    if (name === undefined) unknown.push({ what: "it loads a file of a computed name", line: i + 1 });
    else files.push(name);
  }
  return { files, unknown };
}
