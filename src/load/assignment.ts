/** `--set a.b=c`: one param from the command line. */
import type { Json } from "../model/model.ts";
import { Problems } from "./problems.ts";
import type { ParamPath } from "./unread-params.ts";
import { parseYaml, toJson } from "./yaml.ts";

export interface Assignment {
  /** As typed, for messages. */
  readonly name: string;
  readonly path: ParamPath;
  readonly value: Json;
}

/** A key, or one in quotes, which may then have dots. */
const PATH_STEP = /(?:^|\.)(?:"([^"]+)"|([^."=]+))/y;

export function readAssignment(text: string, problems: Problems): Assignment | null {
  const name = `--set ${text}`;
  const path: string[] = [];
  let end = 0;
  PATH_STEP.lastIndex = 0;
  for (let step = PATH_STEP.exec(text); step; step = PATH_STEP.exec(text)) {
    path.push(step[1] ?? step[2] ?? "");
    end = PATH_STEP.lastIndex;
  }
  if (path.length === 0 || text[end] !== "=") {
    problems.add(
      `${name}: expected PATH=VALUE`,
      undefined,
      "write it as in --set training.pretrain.epochs=3",
    );
    return null;
  }
  const value = readValue(name, text.slice(end + 1), problems);
  return value === undefined ? null : { name, path, value };
}

/**
 * A list, a map, a text in quotes and a number are YAML. Anything else is one text as it is typed, unless all of it is
 * `true`, `false` or `null`: a "#" does not cut it, and a "%" or "@" is no sign of YAML.
 */
function readValue(name: string, text: string, problems: Problems): Json | undefined {
  const value = text.trim();
  if (value === "") return "";
  if (/^[[{"']/.test(value) || /^[-+]?[\d.]+$/.test(value)) {
    const node = parseYaml(name, value, problems);
    if (node?.kind === "scalar" && typeof node.value === "number" && /^[-+]?0\d+$/.test(value))
      problems.add(
        `${name}: ${value} may mean a text or the number ${node.value}`,
        undefined,
        `write '"${value}"' or ${node.value}`,
      );
    return node ? toJson(node) : undefined;
  }
  const tried = new Problems();
  const node = parseYaml(name, value, tried);
  const isWhole = tried.count === 0 && node?.kind === "scalar" && node.raw === value;
  return isWhole ? node.value : value;
}
