/** The Python that tests use. */
import { execFileSync, spawnSync } from "node:child_process";

/** Absolute path of the first of these that exists; null: there is none, and tests that need it are skipped. */
export const PYTHON = ["/usr/bin/python3", "python3"].map(executable).find((path) => path !== null) ?? null;

export function hasModule(name: string, python = PYTHON): boolean {
  return python !== null && spawnSync(python, ["-c", `import ${name}`]).status === 0;
}

export function runPython(...words: string[]): string {
  return execFileSync(PYTHON ?? "python3", words, { encoding: "utf8", maxBuffer: 1 << 30 });
}

function executable(name: string): string | null {
  const { stdout, status } = spawnSync(name, ["-c", "import sys; print(sys.executable)"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : null;
}
