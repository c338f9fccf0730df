/** Runs the Python script of a bench, which does the same work with the libraries of the reference. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Runs `bench/SCRIPT` with `settings` as JSON in its first argument and parses its output as JSON. If no Python has the
 * modules, prints a line and returns null. It tries $PYTHON, the system's Python and the one on the path. Throws an
 * Error if the script fails.
 */
export function runPython<T>(script: string, modules: readonly string[], settings: unknown): T | null {
  const python = findPython(modules);
  if (python === null) {
    console.log(
      `no Python with ${modules.join(", ")} (Debian: python3-torch, python3-skimage; or name one in PYTHON)`,
    );
    return null;
  }
  // The bundled bench lies in cache/, next to bench/.
  const path = fileURLToPath(new URL(`../bench/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [path, JSON.stringify(settings)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${python} ${path} failed:\n${stderr}`);
  return JSON.parse(stdout) as T;
}

export function findPython(modules: readonly string[]): string | null {
  const candidates = [process.env.PYTHON, "/usr/bin/python3", "python3"].filter(
    (python) => python !== undefined,
  );
  const has = (python: string) => spawnSync(python, ["-c", `import ${modules.join(", ")}`]).status === 0;
  return candidates.find(has) ?? null;
}
