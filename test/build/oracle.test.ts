/**
 * Random projects under random edits, against a model that knows what every file must be: after each build all
 * outputs are right, and no task ran whose key had been built before.
 */
import { describe, expect, it } from "vitest";
import { seeded } from "../schedule/random.ts";
import { Project } from "./project.ts";

interface Model {
  sources: Map<string, string>;
  /** By name of the rule: what it reads (sources or other rules' outputs) and its text. */
  rules: Map<string, { inputs: string[]; text: string }>;
}

const SEEDS = 6;
const STEPS = 12;

function pipelineOf({ rules }: Model): string {
  const entries = [...rules].map(
    ([name, { inputs, text }]) =>
      `  ${name}: { cmd: "{ echo ${text}; cat \${in} | sort -u | head -n 3; } > \${out}", in: [${inputs.join(", ")}], out: out/${name} }`,
  );
  return `version: 1\nrules:\n${entries.join("\n")}\n`;
}

function expected({ sources, rules }: Model): Map<string, string> {
  const contents = new Map(sources);
  for (const [name, { inputs, text }] of rules) {
    const lines = inputs.flatMap((input) => (contents.get(input) ?? "").split("\n").slice(0, -1));
    const head = [...new Set(lines)].sort().slice(0, 3);
    contents.set(`out/${name}`, [text, ...head].map((line) => `${line}\n`).join(""));
  }
  return contents;
}

/** What a task's outputs depend on: its command, the names and the contents of its inputs. */
function keysOf(model: Model): Map<string, string> {
  const contents = expected(model);
  return new Map(
    [...model.rules].map(([name, { inputs, text }]) => [
      name,
      JSON.stringify([name, text, inputs.map((input) => [input, contents.get(input)])]),
    ]),
  );
}

describe("random projects", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "are built right, and nothing twice (seed %i)",
    async (seed) => {
      const random = seeded(seed);
      const word = (): string => `w${random.below(6)}`;
      const model: Model = { sources: new Map(), rules: new Map() };
      for (let i = 0; i < 4; i++) model.sources.set(`src${i}`, `${word()}\n`);
      const pick = (before: number): string[] => {
        const names = [
          ...model.sources.keys(),
          ...[...model.rules.keys()].slice(0, before).map((name) => `out/${name}`),
        ];
        return [
          ...new Set(
            Array.from({ length: 1 + random.below(3) }, () => names[random.below(names.length)] as string),
          ),
        ];
      };
      for (let i = 0; i < 7; i++) model.rules.set(`r${i}`, { inputs: pick(i), text: word() });
      const project = new Project(Object.fromEntries(model.sources));
      const built = new Set<string>();
      for (let step = 0; step < STEPS; step++) {
        project.write("pipeline.yaml", pipelineOf(model));
        const keys = keysOf(model);
        const targets = random.below(3) === 0 ? [`out/r${random.below(7)}`] : [];
        const result = await project.build({ targets, jobs: 1 + random.below(4) });
        expect(result.failed).toEqual([]);
        const contents = expected(model);
        for (const target of targets) expect(project.read(target)).toBe(contents.get(target));
        if (targets.length === 0)
          for (const [path, content] of contents) expect([path, project.read(path)]).toEqual([path, content]);
        for (const id of result.ran) {
          expect(built.has(keys.get(id) as string)).toBe(false);
          built.add(keys.get(id) as string);
        }
        const name = `r${random.below(7)}`;
        const rule = model.rules.get(name) as { inputs: string[]; text: string };
        const source = `src${random.below(4)}`;
        switch (random.below(4)) {
          case 0:
            model.sources.set(source, `${word()}\n${random.below(2) === 0 ? "" : `${word()}\n`}`);
            project.write(source, model.sources.get(source) as string);
            break;
          case 1:
            model.rules.set(name, { ...rule, text: word() });
            break;
          case 2:
            model.rules.set(name, { ...rule, inputs: pick(Number(name.slice(1))) });
            break;
          default:
            if (project.has(`out/${name}`)) project.remove(`out/${name}`);
        }
      }
    },
  );
});
