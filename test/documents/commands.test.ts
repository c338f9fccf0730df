/** Every `lq …` in the documents is a command that lq has, with flags that it has. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { HOME } from "../helpers/bundle.ts";
import { blocksOf } from "./blocks.ts";

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "data/README.md"],
  ...["guide", "coming-from", "fidelity", "architecture"].map((name) => `docs/${name}.md`),
  ...["pipeline", "tasks", "running", "commands", "json", "remote", "study"].map(
    (name) => `docs/reference/${name}.md`,
  ),
  ...["score", "predict", "medsam", "train"].map((name) => `examples/${name}/README.md`),
];
const { program } = createProgram();

test.each(PAGES)("%s", (page) => {
  const text = readFileSync(HOME + page, "utf8");
  const inline = [...text.matchAll(/`(?:\$ )?(?:\.\/)?lq ([^`\n]+)`/g)];
  const shell = blocksOf(page).filter(({ language }) => ["sh", "console"].includes(language));
  const lines = shell.flatMap((block) => [
    ...block.text.matchAll(/^(?:\$ )?(?:srun )?(?:\.\/)?lq ([^`\n#]+)/gm),
  ]);
  const wrong = [...inline, ...lines]
    .map(([, words = ""]) => words.trim())
    .filter((words) => !isKnown(words));
  expect(wrong).toEqual([]);
});

function isKnown(words: string): boolean {
  // A word in quotes is a value, such as `"STU B"`; COMMAND stands for any.
  const [name, ...rest] = words.replace(/"[^"]*"|'[^']*'/g, "VALUE").split(/\s+/);
  const command = name === "COMMAND" ? program : program.commands.find((each) => each.name() === name);
  if (command === undefined) return false;
  const flags = rest
    .map((word) => word.replace(/^\[|[\],;.:)]+$|=.*$/g, ""))
    .filter((word) => /^--?[a-z]/i.test(word));
  return flags.every((flag) => flag === "--help" || hasFlag(command, flag) || hasFlag(program, flag));
}

function hasFlag(command: Command, flag: string): boolean {
  return command.options.some(({ short, long }) => flag === short || flag === long);
}
