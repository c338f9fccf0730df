/** Asks the tools that rules declare (`nvcc --version`), each once in a build. Their output is part of keys. */
import { UserError } from "../model/errors.ts";
import { afterAwake } from "../system/awake.ts";
import { MARK, newMark, ProcessTree } from "../system/process-tree.ts";

const LIMIT = 1 << 20;
const SECONDS = 60;
/** Exit status of a pipeline in which a program was ended by SIGPIPE, as `head` does to the program before it. */
const PIPE_CLOSED = 141;
/** Like `set -e`, but goes on after such a pipeline. */
const STOP_ON_ERROR = `trap 'status=$?; [ $status -eq ${PIPE_CLOSED} ] || exit $status' ERR`;

export class ToolVersions {
  readonly #root: string;
  readonly #signal: AbortSignal | undefined;
  readonly #answers = new Map<string, Promise<string>>();

  /** @param signal ends a tool that is running */
  constructor(root: string, signal?: AbortSignal) {
    this.#root = root;
    this.#signal = signal;
  }

  /**
   * What a command prints, on both streams.
   * @throws UserError if it fails, or the signal's reason
   */
  ask(command: string): Promise<string> {
    let answer = this.#answers.get(command);
    if (answer === undefined) this.#answers.set(command, (answer = this.#run(command)));
    return answer;
  }

  async #run(command: string): Promise<string> {
    const { execa } = await import("execa");
    this.#signal?.throwIfAborted();
    const mark = newMark();
    // Without --norc it may read ~/.bashrc: see execute/launcher.ts.
    const child = execa(
      "bash",
      ["--norc", "-Euo", "pipefail", "-c", `${STOP_ON_ERROR}; exec 2>&1; ${command}`],
      {
        cwd: this.#root,
        env: { [MARK]: mark },
        detached: true,
        reject: false,
        stdin: "ignore",
        maxBuffer: LIMIT,
      },
    );
    const tree = new ProcessTree(child, mark);
    const kill = (): void => tree.kill();
    const cancelKill = afterAwake(SECONDS * 1000, kill);
    this.#signal?.addEventListener("abort", kill, { once: true });
    const { failed, exitCode, stdout, originalMessage, signal } = await child;
    cancelKill();
    this.#signal?.removeEventListener("abort", kill);
    this.#signal?.throwIfAborted();
    // A command that could not start has no output.
    const printed = (stdout as string | undefined)?.trim() ?? "";
    if (!failed || exitCode === PIPE_CLOSED) return printed;
    const how =
      signal === "SIGKILL"
        ? `was ended after ${SECONDS} s, or by somebody else`
        : exitCode === undefined
          ? `cannot run: ${originalMessage ?? ""}`
          : `failed with exit code ${exitCode}`;
    const last = printed.split("\n").at(-1) ?? "";
    throw new UserError({
      message: `the tool "${command}" ${how}${last === "" ? "" : `: ${last}`}`,
      hint: "install it, or remove it from tools: of the rule; its output is part of the key",
    });
  }
}
