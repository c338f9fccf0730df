/**
 * Reads the content of a JSON or YAML file for an axis.
 *
 * `1.10` and `001` are numbers, but as the name of a case each is a text that must keep its form. Such a number is
 * therefore kept with the text that is written.
 */
import { UserError } from "../model/errors.ts";
import { Problems } from "../load/problems.ts";
import { parseYaml, type Located } from "../load/yaml.ts";
import type { Json } from "../model/model.ts";

const WRITTEN = Symbol();

/** A number that is written in another form than JavaScript would write it. */
type WrittenNumber = Readonly<Record<typeof WRITTEN, string>> & { readonly number: number };

/**
 * @param file path for messages; a name that ends in ".json" means JSON, any other name YAML
 * @returns the content, to be read with `numberText` and `withoutForms`
 * @throws UserError if the text is not valid, or if an integer would lose its last digits
 */
export function parseData(text: string, file: string): Json {
  const content = text.replace(/^\uFEFF/, "");
  return file.endsWith(".json") ? parseJson(content, file) : parseYamlData(content, file);
}

/** The text of a number as the file has it; undefined for anything else. */
export function numberText(value: Json): string | undefined {
  return typeof value === "number" ? String(value) : isWritten(value) ? value[WRITTEN] : undefined;
}

/** The content with plain numbers. An integer with a zero before it, such as 001, is a text. */
export function withoutForms(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isWritten(value)) return /^[-+]?0\d+$/.test(value[WRITTEN]) ? value[WRITTEN] : value.number;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutForms);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutForms(entry)]));
}

function isWritten(value: Json): value is WrittenNumber {
  return value !== null && typeof value === "object" && WRITTEN in value;
}

function written(number: number, text: string): Json {
  const kept: WrittenNumber = { [WRITTEN]: text, number };
  return String(number) === text ? number : kept;
}

function parseYamlData(text: string, file: string): Json {
  const problems = new Problems();
  const node = parseYaml(file, text, problems);
  problems.throwIfAny();
  return node ? contentOf(node) : null;
}

function contentOf(node: Located): Json {
  if (node.kind === "list") return node.items.map(contentOf);
  if (node.kind === "map")
    return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, contentOf(value)]));
  return typeof node.value === "number" ? written(node.value, node.raw) : node.value;
}

/** A text, or a number. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
/** Marks a number as a text for JSON.parse. No valid JSON has this character in a text without an escape. */
const MARK = "\u0000";

function parseJson(text: string, file: string): Json {
  const json = text.replace(/^\uFEFF/, "");
  try {
    const plain = JSON.parse(json) as Json;
    const forms = numbersWithForms(json, file);
    return forms ? (JSON.parse(forms, (_, value: Json) => unmark(value)) as Json) : plain;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file} is not valid JSON: ${why}`);
  }
}

/** The JSON with a text in place of each number whose form would be lost; null if there is none. */
function numbersWithForms(json: string, file: string): string | null {
  let found = false;
  const marked = json.replace(TOKEN, (token: string, start: number) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)))
      throw new UserError({
        message: `${token} is too large: its last digits would be lost`,
        span: { file, start, end: start + token.length },
        hint: "put it in quotes",
      });
    found = true;
    return JSON.stringify(MARK + token);
  });
  return found ? marked : null;
}

function unmark(value: Json): Json {
  if (typeof value !== "string" || !value.startsWith(MARK)) return value;
  const text = value.slice(MARK.length);
  return written(Number(text), text);
}
