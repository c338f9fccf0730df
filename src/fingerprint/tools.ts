/** What declared tools say of themselves (`nvcc --version`): asked once a build, part of keys. */
import { execFile } from "node:child_process";
import { UserError } from "../errors.ts";

const LIMIT = 1 << 20;
const SECONDS = 60;

export class ToolVersions {
  readonly #root: string;
  readonly #answers = new Map<string, Promise<string>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** What a command prints, on both streams. Throws UserError if it fails. */
  ask(command: string): Promise<string> {
    let answer = this.#answers.get(command);
    if (answer === undefined) this.#answers.set(command, (answer = this.#run(command)));
    return answer;
  }

  #run(command: string): Promise<string> {
    const script = `exec 2>&1; ${command}`;
    return new Promise((resolve, reject) => {
      execFile(
        "bash",
        // Else it may read ~/.bashrc: see execute/launcher.ts.
        ["--norc", "-euo", "pipefail", "-c", script],
        { cwd: this.#root, maxBuffer: LIMIT, timeout: SECONDS * 1000 },
        (error, output) => {
          if (error === null) resolve(output.trim());
          else
            reject(
              new UserError({
                message: `the tool "${command}" failed: ${output.trim().split("\n").at(-1) || error.message}`,
                hint: "a rule names it under tools:, so that its version is part of the key; is it installed?",
              }),
            );
        },
      );
    });
  }
}
