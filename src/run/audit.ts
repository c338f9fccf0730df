/**
 * Finds files that a task reads or writes and that its rule does not declare. It reads the system calls of the task's
 * processes (strace).
 *
 * Files of the system, of the environments and of lq itself do not count. Inside the project, every other file counts
 * that is no input, output or code of the task. Outside, a file counts unless it lies in a folder where programs are
 * installed.
 */
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../model/errors.ts";
import { isWithin } from "../model/paths.ts";
import { shellQuote } from "../system/quote.ts";

export interface Access {
  readonly access: "read" | "write";
  /** Absolute. */
  readonly path: string;
}

/** The calls that open files, make them, or change what is at a path. */
const CALLS =
  "open,openat,openat2,creat,execve,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,truncate";

/** @throws UserError if strace is not installed, or is not allowed to trace */
export function refuseWithoutStrace(): void {
  const { error, status } = spawnSync("strace", ["-o", "/dev/null", "true"]);
  if (error !== undefined)
    throw new UserError({
      message: "lq audit needs the program strace",
      hint: "install it: apt install strace, or dnf install strace",
    });
  if (status !== 0)
    throw new UserError({
      message: "strace may not trace programs here",
      hint: "in a container: start it with --cap-add SYS_PTRACE",
    });
}

/** The files that strace writes, one for each process. */
export class Traces {
  readonly #folder = mkdtempSync(join(tmpdir(), "lq-audit-"));

  /** @returns the words that run a command under strace */
  wrap(words: readonly string[]): readonly string[] {
    const trace = ["-e", `trace=${CALLS}`, "-e", "signal=none"];
    return [
      "strace",
      "-f",
      "-ff",
      "-qq",
      "-y",
      "-s",
      "4096",
      ...trace,
      "-o",
      join(this.#folder, "trace"),
      ...words,
    ];
  }

  /** @returns absolute path of a program that runs Node under strace, with the same arguments */
  node(): string {
    const file = join(this.#folder, "node");
    const words = this.wrap([process.execPath]).map(shellQuote);
    writeFileSync(file, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, { mode: 0o755 });
    return file;
  }

  /** Accesses that succeeded, each once. @param cwd absolute folder in which the command began */
  accesses(cwd: string): readonly Access[] {
    const found = new Map<string, Access>();
    for (const file of readdirSync(this.#folder).filter((name) => name.startsWith("trace")))
      for (const line of readFileSync(join(this.#folder, file), "latin1").split("\n"))
        for (const access of accessesIn(line, cwd)) found.set(`${access.access} ${access.path}`, access);
    return [...found.values()];
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Reads the accesses of one line that `strace -y` wrote. With `-y`, strace puts the start folder of a relative path
 * before it.
 */
export function accessesIn(line: string, cwd: string): readonly Access[] {
  const call = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(line);
  if (call === null || (call[3] ?? "").startsWith("-")) return [];
  const [, name = "", text = ""] = call;
  const paths = [...text.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].map(
    ([, folder, path = ""]) => resolve(folder === undefined ? cwd : unescaped(folder), unescaped(path)),
  );
  const [first] = paths;
  if (first === undefined) return [];
  if (name === "execve") return [{ access: "read", path: first }];
  if (name.startsWith("open")) {
    if (/\bO_(DIRECTORY|PATH)\b/.test(text)) return [];
    return [{ access: /\bO_(WRONLY|RDWR|CREAT|TRUNC)\b/.test(text) ? "write" : "read", path: first }];
  }
  return paths.slice(0, name.startsWith("rename") ? 2 : 1).map((path) => ({ access: "write", path }));
}

/** Turns the octal escapes of strace into bytes, and reads them as UTF-8. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\([0-7]{1,3}|.)/g, (_, code: string) =>
    /^[0-7]/.test(code)
      ? String.fromCharCode(parseInt(code, 8))
      : ({ n: "\n", t: "\t", r: "\r" }[code] ?? code),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const SYSTEM = [
  "/bin",
  "/boot",
  "/dev",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/opt",
  "/proc",
  "/run",
  "/sbin",
  "/sys",
  "/usr",
  "/var",
];

/**
 * @param root absolute folder of the project
 * @param own absolute paths that the task may use; folders are without "/" at the end
 * @param allowed more absolute folders whose files do not count
 */
export function undeclared(
  accesses: readonly Access[],
  root: string,
  own: readonly string[],
  allowed: readonly string[],
): readonly Access[] {
  const system = [...SYSTEM, tmpdir(), ...allowed];
  const reals = [...own, ...own.map(real)];
  return accesses
    .filter(({ path }) => !reals.some((each) => isWithin(each, path)))
    .filter(({ path }) => !isBytecode(path) && isFile(path))
    .filter(({ path }) =>
      isWithin(root, path)
        ? !isWithin(join(root, "cache"), path)
        : !system.some((folder) => isWithin(folder, path)),
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isBytecode(path: string): boolean {
  return path.includes("/__pycache__/");
}

/** New folders, and files that are gone by now, have no content that matters. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
