/** Reads and writes JSON files. */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

/** JSON text, indented by one space, with a newline at its end. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(path, jsonText(value));
}

/**
 * Reads a JSON file and checks it against a schema.
 * @param name the file's name in messages
 * @throws Error that names the file and says what does not fit
 */
export function readJson<T>(path: string, schema: z.ZodType<T>, name = path): T {
  const parsed = schema.safeParse(parse(readFileSync(path, "utf8"), name));
  if (!parsed.success) throw new Error(`${name}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${name} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
