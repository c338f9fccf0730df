/** Prints completion scripts. Each script runs `lq complete -- WORDS…`, which prints one candidate on each line. */
import type { CommonFlags } from "../options.ts";

/** Readline replaces only the text after the last `:` or `=`. lq prints whole words, so the script cuts them. */
const BASH = `_lq() {
  local line=\${COMP_LINE:0:COMP_POINT} own=\${COMP_WORDS[COMP_CWORD]} candidate
  local current=\${line##*[[:space:]]}
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  [[ $own == [:=] ]] && own=
  COMPREPLY=()
  while IFS= read -r candidate; do
    COMPREPLY+=("\${candidate#"\${current%"$own"}"}")
  done < <("\${words[0]}" complete -- "\${words[@]:1}" 2> /dev/null)
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[/=] ]] && compopt -o nospace
}
complete -o default -F _lq lq
`;

const ZSH = `#compdef lq
_lq() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  compadd -S '' -- "\${(@M)found:#*[/=]}"
  compadd -- "\${(@)\${(@)found:#*[/=]}:#}"
}
if [[ $funcstack[1] == _lq ]]; then _lq "$@"; else compdef _lq lq; fi
`;

const FISH = `function __lq_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    $words[1] complete -- $words[2..-1] "$last" 2> /dev/null
end
complete -c lq -f -a '(__lq_complete)'
`;

const SCRIPTS: { readonly [shell: string]: string } = { bash: BASH, zsh: ZSH, fish: FISH };

export function runCompletion([shell = ""]: readonly string[], _flags: CommonFlags): Promise<number> {
  process.stdout.write(SCRIPTS[shell] ?? "");
  return Promise.resolve(0);
}
