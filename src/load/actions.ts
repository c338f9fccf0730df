/** Reads what a rule runs: `run`, `cmd` or `script`, with the code that a script or a command runs. */
import type { Span } from "../model/errors.ts";
import type { Rule, Template } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { readBoolean, readText, readTexts } from "./read.ts";
import { quotedParts } from "./shell.ts";
import { parseTemplate, type Scope } from "./template.ts";
import type { Located, LocatedMap } from "./yaml.ts";

type Action = Pick<Rule, "action" | "code" | "packages">;

const KINDS = ["run", "cmd", "script"] as const;

/** The endings that a script's name may have (src/environment/interpreters.ts). */
const ENDINGS = ["py", "R", "r", "jl", "sh", "bash", "js", "mjs", "cjs"];

export function parseAction(
  name: string,
  key: Span,
  map: LocatedMap,
  scope: Scope,
  problems: Problems,
): Action {
  const [kind, other] = KINDS.filter((each) => map.entries.has(each));
  if (kind !== undefined && other !== undefined)
    problems.add(
      `rule "${name}" has both "${kind}" and "${other}"`,
      map.entries.get(other)?.key,
      "keep one of them",
    );
  if (kind === undefined)
    problems.add(`rule "${name}" has none of "run", "cmd" and "script"`, key, "say what makes its outputs");
  const value = kind && map.entries.get(kind)?.value;
  const action = parseKind(kind ?? "run", value, key, scope, problems);
  const script = action.kind === "script" ? [{ path: action.path, span: action.span }] : [];
  const code = map.entries.get("code");
  const packages = map.entries.get("packages");
  for (const each of action.kind === "run" ? [code, packages] : [])
    if (each)
      problems.add(
        `rule "${name}" runs a module, whose code lq knows`,
        each.key,
        "leave this out of the rule",
      );
  return {
    action,
    code: [...script, ...(code ? parseCode(code.value, problems) : [])],
    packages: packages ? readBoolean(packages.value, '"packages"', problems) : true,
  };
}

function parseKind(
  kind: (typeof KINDS)[number],
  node: Located | undefined,
  key: Span,
  scope: Scope,
  problems: Problems,
): Rule["action"] {
  const span = node?.span ?? key;
  if (node === undefined) return { kind: "run", module: "", span };
  if (kind === "cmd") return { kind, command: parseCommand(node, scope, problems), span };
  if (kind === "script") return { kind, path: parseScript(node, problems), span };
  return { kind, module: parseModule(node, problems), span };
}

/** `tasks/x.ts` for a module of the project, `lq:tasks/x.ts` for one that comes with lq. */
function parseModule(node: Located, problems: Problems): string {
  const text = readText(node, '"run"', problems);
  if (!text) return "";
  const [, base = "", path = ""] = /^(lq:)?(?:\.\/)*(.*)$/s.exec(text.value) ?? [];
  if (isNoPath(path))
    problems.add(`"run" must be the path of a module inside ${base ? "lq" : "the project"}`, text.span);
  else if (/\s/.test(path))
    problems.add(
      '"run" names a TypeScript module, and this is a command',
      text.span,
      `write cmd: "${text.value}"`,
    );
  else if (/\.(py|R|r|jl|sh|bash)$/.test(path))
    problems.add(
      `"run" is for TypeScript modules, and ${path} is not one`,
      text.span,
      `write script: ${path}, or a command: cmd: "… ${path} …"`,
    );
  return base + path;
}

function parseScript(node: Located, problems: Problems): string {
  const text = readText(node, '"script"', problems);
  if (!text) return "";
  const path = text.value.replace(/^(?:\.\/)+/, "");
  if (isNoPath(path)) problems.add('"script" must be the path of a file inside the project', text.span);
  else if (!ENDINGS.some((ending) => path.endsWith(`.${ending}`))) {
    const known = ENDINGS.map((ending) => `.${ending}`).join(", ");
    const hint = /\.[mc]?ts$/.test(path)
      ? `write run: ${path}`
      : `known endings: ${known}; for others use "cmd"`;
    problems.add(`the ending of ${path} does not say what program runs it`, text.span, hint);
  }
  return path;
}

function parseCode(node: Located, problems: Problems): Rule["code"] {
  return readTexts(node, 'a path of "code"', problems).map(({ value, span }) => {
    const path = value.replace(/^(?:\.\/)+/, "");
    if (isNoPath(path)) problems.add('"code" names files and folders inside the project', span);
    return { path, span };
  });
}

function isNoPath(path: string): boolean {
  return path === "" || /^\/|(^|\/)\.\.(\/|$)|\0|\$\{/.test(path);
}

function parseCommand(node: Located, scope: Scope, problems: Problems): Template | readonly Template[] {
  if (node.kind === "list") {
    if (node.items.length === 0) problems.add('"cmd" is empty', node.span);
    return readTexts(node, 'an item of "cmd"', problems).map((text) => parseTemplate(text, scope, problems));
  }
  const text = readText(node, '"cmd"', problems);
  if (!text) return { parts: [], span: node.span };
  if (text.value.trim() === "") problems.add('"cmd" is empty', node.span);
  const command = parseTemplate(text, scope, problems);
  for (const { span } of quotedParts(command)) {
    problems.add("lq quotes this itself, so it cannot be inside quotes", span, "take it out of the quotes");
  }
  return command;
}
