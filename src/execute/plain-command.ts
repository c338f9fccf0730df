/**
 * Finds commands that need no shell. A command of plain words means the same with and without a shell if its first word
 * is the name of a program. Without a shell it starts sooner (make does the same).
 */
const PLAIN = /^[\w./][\w@%+:,./-]*( +[\w@%+:,./=-]+)*$/;

/** Words that bash handles itself. */
const OWN = new Set(
  (
    ". : alias bg bind break builtin caller case cd command compgen complete compopt continue coproc declare dirs " +
    "disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help " +
    "history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return select " +
    "set shift shopt source suspend test then time times trap true type typeset ulimit umask unalias unset until " +
    "wait while"
  ).split(" "),
);

/**
 * @param argv as of `renderCommand`
 * @param variable the value of a variable of the command's environment
 * @returns the words to run directly; `argv` itself if the shell is needed
 */
export function withoutShell(
  argv: readonly string[],
  variable: (name: string) => string | undefined,
): readonly string[] {
  const [shell, , , flag, script = ""] = argv;
  const text = script.trim();
  if (shell !== "bash" || flag !== "-c" || argv.length !== 5 || !PLAIN.test(text)) return argv;
  const words = text.split(/ +/);
  const [program = ""] = words;
  // Either could define the first word as a function.
  const isRedefined = variable("BASH_ENV") !== undefined || variable(`BASH_FUNC_${program}%%`) !== undefined;
  return OWN.has(program) || isRedefined ? argv : words;
}
