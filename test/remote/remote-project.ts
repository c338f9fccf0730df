/** A project of 13 tasks, whose clones share nothing but a remote cache. */
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

const PIPELINE = `version: 1
rules:
  copy:
    each: { name: { glob: "src/*.txt" } }
    cmd: "cat \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "copies/\${name}.txt"
  tree:
    each: { name: { glob: "src/*.txt" } }
    cmd: "mkdir -p \${out}deep && cp \${in} \${out}deep/file && printf 'echo %s\\n' \${name} > \${out}run && chmod +x \${out}run"
    in: "copies/\${name}.txt"
    out: "trees/\${name}/"
  sum: { cmd: "cat \${in}*/run > \${out}", in: trees/, out: sum.txt }
`;

export const NAMES = ["a", "b", "c", "d", "e", "f"];
export const TASKS = [...NAMES.map((name) => `copy:${name}`), "sum", ...NAMES.map((name) => `tree:${name}`)];

/** @param cache the settings of the cache, as in pipeline.yaml */
export function clone(cache: string): CliProject {
  const project = cliProject({ "pipeline.yaml": PIPELINE.replace("rules:", `cache: ${cache}\nrules:`) });
  for (const name of NAMES) project.write(`src/${name}.txt`, `content of ${name}\n`);
  return project;
}

export interface Outcome {
  readonly code: number | null;
  readonly ran: readonly string[];
  readonly restored: readonly string[];
  readonly failed: readonly string[];
  readonly warnings: readonly string[];
  readonly summary: JsonLine;
}

/** Builds by the real command. */
export async function built(
  project: CliProject,
  variables: NodeJS.ProcessEnv = {},
  ...words: string[]
): Promise<Outcome> {
  const { code, stdout, stderr } = await project.lqIn(variables, "build", "--json", ...words);
  const lines = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JsonLine);
  const having = (outcome: string) =>
    lines.flatMap((line) => (line["outcome"] === outcome ? [String(line["task"])] : [])).sort();
  const summary = lines.at(-1);
  if (summary?.type !== "summary") throw new Error(`the build did not end: ${stderr}`);
  return {
    ...{ code, ran: having("ran"), restored: having("restored"), failed: having("failed"), summary },
    warnings: lines.flatMap((line) => (line["level"] === "warning" ? [String(line["text"])] : [])),
  };
}
