/** The content of a JSON or YAML file that an axis reads. */
import { UserError } from "../model/errors.ts";
import { Problems } from "../load/problems.ts";
import { parseYaml, toJson } from "../load/yaml.ts";
import type { Json } from "../model/model.ts";

/** `file` is named in errors and, by its ending, says which of the two it is. Throws a `UserError`. */
export function parseData(text: string, file: string): Json {
  if (!file.endsWith(".json")) {
    const problems = new Problems();
    const node = parseYaml(file, text, problems);
    problems.throwIfAny();
    return node ? toJson(node) : null;
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UserError(
      `${file} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
