/** Reads the content of a JSON or YAML file for an axis. */
import { UserError } from "../model/errors.ts";
import { Problems } from "../load/problems.ts";
import { parseYaml, toJson } from "../load/yaml.ts";
import type { Json } from "../model/model.ts";

/**
 * @param file path for messages; a name that ends in ".json" means JSON, any other name YAML
 * @throws UserError if the text is not valid
 */
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
