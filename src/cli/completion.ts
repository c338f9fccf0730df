/** Completion scripts. They ask `lq complete WORDS…` for what can come next, a candidate a line. */
import type { Command } from "commander";
import { UserError } from "../errors.ts";
import { expand } from "../expand/expand.ts";
import { openProject, type CommonFlags } from "./options.ts";

const SCRIPTS: { readonly [shell: string]: string } = {
  bash: `_lq() {
  local IFS=$'\\n'
  local words
  words=$("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
COMP_WORDBREAKS=\${COMP_WORDBREAKS//:}
complete -o default -F _lq lq
`,
  zsh: `#compdef lq
_lq() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _lq lq
`,
  fish: `complete -c lq -f -a '(lq complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
};

export function runCompletion([shell = ""]: readonly string[], _flags: CommonFlags): Promise<number> {
  const script = SCRIPTS[shell];
  if (script === undefined) {
    throw new UserError({ message: `no completion for "${shell}"`, hint: "there is bash, zsh and fish" });
  }
  process.stdout.write(script);
  return Promise.resolve(0);
}

/** Candidates for the last of the words: commands, then flags and targets of the command. Never fails. */
export function runComplete(words: readonly string[], program: Command): Promise<number> {
  const last = words.at(-1) ?? "";
  const command = program.commands.find((c) => c.name() === words[0]);
  const candidates =
    words.length < 2 || !command
      ? program.commands.map((c) => c.name()).filter((name) => name !== "complete")
      : last.startsWith("-")
        ? command.options.flatMap((option) => option.long ?? [])
        : command.name() === "completion"
          ? Object.keys(SCRIPTS)
          : targets();
  const fitting = candidates.filter((candidate) => candidate.startsWith(last));
  if (fitting.length > 0) process.stdout.write(`${fitting.join("\n")}\n`);
  return Promise.resolve(0);
}

const MOST = 5000;

function targets(): string[] {
  try {
    const { tasks, pipeline } = expand(openProject({}).pipeline);
    const all = [
      ...pipeline.rules.keys(),
      ...tasks.flatMap(({ id, outputs }) => [id, ...outputs.map((o) => o.path)]),
    ];
    return [...new Set(all)].slice(0, MOST);
  } catch {
    return []; // a broken pipeline has nothing to complete
  }
}
