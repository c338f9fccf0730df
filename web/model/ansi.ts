/** Turns colours that programs print for terminals into spans. It removes other control sequences. */

export interface Span {
  readonly text: string;
  /** Names of style classes. */
  readonly style: string;
}

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** @param line without its line end. Text that a carriage return overwrote is left out */
export function spans(line: string): readonly Span[] {
  const shown = line.slice(line.lastIndexOf("\r", line.length - 2) + 1).replace(/\r$/, "");
  const found: Span[] = [];
  let style = new Set<string>();
  let at = 0;
  for (const match of shown.matchAll(new RegExp("\\u001b\\[([0-9;:?]*)([@-~])", "g"))) {
    push(shown.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") style = changed(style, match[1] ?? "");
  }
  push(shown.slice(at));
  return found;

  function push(text: string): void {
    if (text !== "") found.push({ text, style: [...style].join(" ") });
  }
}

function changed(style: ReadonlySet<string>, codes: string): Set<string> {
  const next = new Set(style);
  for (const code of codes.split(/[;:]/).map(Number)) {
    const colour = COLOURS[(code - 30) % 60];
    if (code === 0) next.clear();
    else if (code === 1) next.add("ansi-bold");
    else if (code === 22) next.delete("ansi-bold");
    else if (code === 39) dropColour(next);
    else if (colour !== undefined && ((code >= 30 && code <= 37) || (code >= 90 && code <= 97))) {
      dropColour(next);
      next.add(`ansi-${colour}`);
    }
  }
  return next;
}

function dropColour(style: Set<string>): void {
  for (const colour of COLOURS) style.delete(`ansi-${colour}`);
}

/** Whether a line looks like an error, which a user should read first. */
export function isError(line: string): boolean {
  return /\b(error|exception|traceback|fatal|failed|panic|segmentation fault|killed|nan)\b/i.test(line);
}
