/**
 * Keeps commands within what the system passes to a program. Linux limits each argument and each variable, and the sum
 * of all of them with a pointer for each (execve(2), "Limits on size of arguments and environment").
 */
import { readFileSync, writeFileSync } from "node:fs";

/** Bytes of one argument or variable: 32 pages of 4 KiB, with the zero at its end. */
const MOST_EACH = 32 * 4096 - 1;
/** Bytes of all arguments and variables: a quarter of the stack's limit, but not more than this. */
const MOST_TOGETHER = 6 * 2 ** 20;
/** The stack's limit where it cannot be read; 8 MiB is the usual one. */
const STACK = 8 * 2 ** 20;
/** Bytes for what the launcher and the loader add. */
const RESERVE = 4096;
const POINTER = 8;

let together: number | undefined;

/** How many bytes of arguments and variables this process may pass to a program. */
export function mostTogether(): number {
  together ??= Math.min(MOST_TOGETHER, Math.floor(stackLimit() / 4)) - RESERVE;
  return together;
}

/** @returns what is too long and what to do; null if a program can start with these words and variables */
export function tooLong(
  words: readonly string[],
  ...variables: readonly { readonly [name: string]: string | undefined }[]
): string | null {
  let bytes = 0;
  for (const word of words) {
    const own = Buffer.byteLength(word);
    if (own > MOST_EACH)
      return `an argument of the command has ${own} bytes, and the system passes at most ${MOST_EACH} in one (${ADVICE})`;
    bytes += own + 1 + POINTER;
  }
  const merged = Object.entries(Object.assign({}, ...variables) as { [name: string]: string | undefined });
  for (const [name, value = ""] of merged) {
    const own = name.length + 1 + Buffer.byteLength(value);
    if (own > MOST_EACH)
      return `the variable ${name} has ${own} bytes, and the system passes at most ${MOST_EACH} in one`;
    bytes += own + 1 + POINTER;
  }
  if (bytes <= mostTogether()) return null;
  return `the arguments of the command have ${bytes} bytes, and the system passes at most ${mostTogether()} (${ADVICE})`;
}

const ADVICE =
  "let the program read the paths from the JSON file that LQ_TASK_FILE names, or write cmd as a text";

/** Whether a text of a command is too long for one argument. Then bash must read it from a file. */
export function needsFile(text: string): boolean {
  return Buffer.byteLength(text) > MOST_EACH;
}

/** Replaces the text of `bash … -c TEXT` by the name of a file with this text, if the text is too long. */
export function inFile(words: readonly string[], file: string): readonly string[] {
  const text = words.at(-1) ?? "";
  if (words.at(-2) !== "-c" || !needsFile(text)) return words;
  writeFileSync(file, `${text}\n`);
  return [...words.slice(0, -2), file];
}

function stackLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max stack size\s+(\d+|unlimited)/m.exec(limits)?.[1];
    return soft === undefined ? STACK : soft === "unlimited" ? Infinity : Number(soft);
  } catch {
    return STACK;
  }
}
