/** Shows the progress of hashing sources on one line of a terminal, which it overwrites each time. */
import type { HashProgress } from "../files/hash-many.ts";
import { hashLine } from "./lines.ts";
import { printableLine } from "./printable.ts";

/** Moves to the start of the line, and erases it. */
const ERASE = "\r\x1b[K";

/** @param progress null when everything is hashed; this erases the line */
export function showHashing(terminal: NodeJS.WriteStream, progress: HashProgress | null): void {
  const line = progress === null ? "" : printableLine(hashLine(progress)).slice(0, terminal.columns - 1);
  terminal.write(ERASE + line);
}
