/**
 * Text for a person's terminal. Names, params and what tasks print may hold anything, and a terminal obeys control
 * characters: of these only line ends, tabs and the colours of lq get there, and the others are shown as their
 * pictures. So are those that turn the direction of writing, by which a name can look like another.
 */
import { COLOUR } from "./paint.ts";

const CONTROL = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/** U+2400 to U+2421 show those of ASCII; of the others, ECMA-48's second set, only that there is one. */
const PICTURES = 0x2400;

export function printable(text: string): string {
  if (text.search(CONTROL) < 0) return text;
  const colours = text.match(COLOUR) ?? [];
  return text
    .split(COLOUR)
    .map((part, i) => part.replace(CONTROL, picture) + (colours[i] ?? ""))
    .join("");
}

/** The same for what is to be one line. */
export function printableLine(line: string): string {
  return printable(line).replaceAll("\n", picture);
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code > 0x7f) return "\ufffd";
  return String.fromCharCode(PICTURES + (code === 0x7f ? 0x21 : code));
}
