/** Runs the Python script beside a bench: the same work by the reference's own libraries. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * What `bench/SCRIPT` prints, as JSON, given `settings` as JSON in its first argument; null, saying so, where no
 * Python has the modules. Tried are $PYTHON, the system's and the path's. Throws an Error where the script fails.
 */
export function runPython<T>(script: string, modules: readonly string[], settings: unknown): T | null {
  const python = findPython(modules);
  if (python === null) {
    console.log(
      `no Python with ${modules.join(", ")} (Debian: python3-torch, python3-skimage; or name one in PYTHON)`,
    );
    return null;
  }
  // Bundled benches lie in cache/, beside bench/.
  const path = fileURLToPath(new URL(`../bench/${script}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [path, JSON.stringify(settings)], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${python} ${path} failed:\n${stderr}`);
  return JSON.parse(stdout) as T;
}

function findPython(modules: readonly string[]): string | null {
  const candidates = [process.env.PYTHON, "/usr/bin/python3", "python3"].filter(
    (python) => python !== undefined,
  );
  const has = (python: string) => spawnSync(python, ["-c", `import ${modules.join(", ")}`]).status === 0;
  return candidates.find(has) ?? null;
}
