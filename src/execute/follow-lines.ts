/** Reads the lines that a running task appends to a file, such as its metrics or its log. */
import { closeSync, existsSync, openSync, readSync, rmSync } from "node:fs";

/** Milliseconds between two reads, short enough for people who watch. */
const INTERVAL = 500;
const CHUNK = 1 << 16;

/**
 * @param file absolute path; a file at this path is removed
 * @returns a function that reads the rest and stops
 */
export function followLines(file: string, hear: (line: string) => void): () => void {
  if (existsSync(file)) rmSync(file);
  let position = 0;
  let rest = "";
  const look = (): void => {
    // Most commands write no such file, and an error of `open` costs more than this check.
    if (!existsSync(file)) return;
    const buffer = Buffer.allocUnsafe(CHUNK);
    let descriptor: number;
    try {
      descriptor = openSync(file, "r");
    } catch {
      return;
    }
    try {
      for (;;) {
        const length = readSync(descriptor, buffer, 0, CHUNK, position);
        if (length === 0) break;
        position += length;
        // Python's json writes ASCII. In other lines a character may be cut in two; this only affects the display.
        const lines = (rest + buffer.toString("utf8", 0, length)).split("\n");
        rest = lines.pop() ?? "";
        lines.forEach(hear);
      }
    } finally {
      closeSync(descriptor);
    }
  };
  const timer = setInterval(look, INTERVAL);
  return () => {
    clearInterval(timer);
    look();
    if (rest !== "") hear(rest);
  };
}
