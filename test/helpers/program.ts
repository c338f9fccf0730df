/** Programs of the system. Tests that need one are skipped with a notice if it is not there. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Whether all of these programs are on PATH; prints a notice for those that are not. */
export function hasPrograms(...names: readonly string[]): boolean {
  const absent = names.filter((name) => !isOnPath(name));
  for (const name of absent) console.warn(`skipped: there is no ${name} on this machine`);
  return absent.length === 0;
}

function isOnPath(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program. @returns its stdout @throws Error with both outputs if the program fails */
export function run(name: string, args: readonly string[], cwd?: string): string {
  try {
    return execFileSync(name, args, { encoding: "utf8", stdio: "pipe", cwd, maxBuffer: 2 ** 28 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} ${args.join(" ")}\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}
