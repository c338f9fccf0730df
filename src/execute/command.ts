/** Runs a `cmd` task as one process tree, and writes its output to the log. */
import { debug } from "../system/debug.ts";
import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { mostTogether, tooLong } from "./argument-limits.ts";
import { userErrorOf } from "../model/errors.ts";
import { graceOf, type Attempt, type AttemptResult } from "./attempt.ts";
import { afterAwake } from "../system/awake.ts";
import type { Launched, Launchers } from "./launcher.ts";
import { sizeOf, TaskLog } from "./log.ts";
import { withoutShell } from "./plain-command.ts";
import { inheritedEnvironment, inheritedVariable } from "../system/inherited-environment.ts";
import { newMark, ProcessTree } from "../system/process-tree.ts";

/** Exit status of a shell that does not find a program. */
const NOT_FOUND = 127;
/** Exit status of a shell that cannot start a program which is there. */
const CANNOT_RUN = 126;

/**
 * @param argv the program and its arguments; the working directory is the project root
 * @param own variables for this attempt only
 */
export async function runCommand(
  argv: readonly string[],
  attempt: Attempt,
  own: { readonly [name: string]: string },
  launchers: Launchers,
  printed: (chunk: Buffer) => void = () => undefined,
): Promise<AttemptResult> {
  if (attempt.signal.aborted) return { kind: "cancelled" };
  const { root, env, signal, timeout } = attempt;
  const leases = attempt.leases.map(({ descriptor }) => descriptor);
  const words = withoutShell(argv, (name) => env[name] ?? inheritedVariable(name));
  const refusal = tooLong(words, inheritedEnvironment(), env, own);
  if (refusal !== null) return { kind: "failed", error: refusal };
  const log = new TaskLog(attempt.log);
  const mark = newMark();
  let child: Launched;
  try {
    child = await launchers.start({ words, cwd: root, env, mark, own, leases }, (chunk) => {
      log.write(chunk);
      printed(chunk);
    });
  } catch (error) {
    const { message } = userErrorOf(error) ?? (error as Error);
    return { kind: "failed", error: message };
  }
  debug.exec?.(`process ${child.pid} runs ${words.join(" ")}`);
  const tree = new ProcessTree(child, mark);
  let timedOut = false;
  const end = (): void => tree.end(graceOf(attempt));
  const stopClock =
    timeout === null
      ? undefined
      : afterAwake(timeout * 1000, () => {
          timedOut = true;
          end();
        });
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  return new Promise((done) => {
    child.once("exit", (code, killer) => {
      debug.exec?.(`process ${child.pid} ended with ${killer ?? `exit code ${code}`}`);
      stopClock?.();
      signal.removeEventListener("abort", end);
      log.close();
      if (signal.aborted) done({ kind: "cancelled" });
      else if (timedOut) done({ kind: "failed", error: `it took longer than its timeout of ${timeout} s` });
      else if (code === 0) done({ kind: "done" });
      else done({ kind: "failed", error: describeEnd(code, killer, words, attempt) });
    });
  });
}

function describeEnd(
  code: number | null,
  signal: string | null,
  words: readonly string[],
  { root, env }: Attempt,
): string {
  const [program = ""] = words;
  if (signal === "SIGPIPE") return `ended by SIGPIPE${PIPE_HINT}`;
  if (signal !== null) return `ended by ${signal}`;
  // bash itself reads a long text from a file, but the programs that it starts have the system's limit.
  if (code === CANNOT_RUN && program === "bash" && sizeOf(words.at(-1) ?? "") > mostTogether() / 2)
    return `exit code ${code}${LIST_HINT}`;
  if (code !== NOT_FOUND) return `exit code ${code}`;
  const folders = program.includes("/")
    ? [root]
    : (env["PATH"] ?? process.env["PATH"] ?? "").split(delimiter);
  const isThere = folders.some((folder) => existsSync(resolve(root, folder, program)));
  return isThere ? `exit code ${code}` : `there is no program "${program}"`;
}

const PIPE_HINT =
  "\n  hint: a program wrote into a pipe whose reader had ended, as head does; commands run under pipefail: " +
  "write { PROGRAM || true; } | head";
const LIST_HINT =
  `\n  hint: the system passes at most ${mostTogether()} bytes of arguments to a program; ` +
  "printf '%s\\n' ${in} > FILE, which bash does itself, has no limit";
