import { printable } from "../report/printable.ts";

/** Prints lines for a person. */
export function print(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}
