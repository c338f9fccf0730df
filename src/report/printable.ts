/**
 * Makes text safe for a terminal. Names, params and the output of tasks may contain control characters, which a
 * terminal obeys. lq keeps only line ends, tabs and its own colours. It replaces other control characters by visible
 * symbols. It also replaces characters that change the direction of writing, because they can make one name look like
 * another.
 */
import { COLOUR } from "./paint.ts";

const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** U+2400 to U+2421 are symbols for ASCII's control characters. U+FFFD replaces all others. */
const PICTURES = 0x2400;

export function printable(text: string): string {
  if (text.search(CONTROL) < 0) return text;
  const colours = text.match(COLOUR) ?? [];
  return text
    .split(COLOUR)
    .map((part, i) => part.replace(CONTROL, picture) + (colours[i] ?? ""))
    .join("");
}

/** Like `printable`, for text that must stay on one line. */
export function printableLine(line: string): string {
  return printable(line).replaceAll("\n", picture);
}

/** Takes out the codes with which programs colour what they print (SGR). */
export function withoutColour(text: string): string {
  return text.replace(/\x1b\[[0-9;:]*m/g, "");
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code > 0x7f) return "\ufffd";
  return String.fromCharCode(PICTURES + (code === 0x7f ? 0x21 : code));
}
