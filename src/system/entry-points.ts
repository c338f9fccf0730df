/**
 * Finds the programs that lq starts as processes or threads. They lie compiled in dist/. If lq runs from source, this
 * file compiles them.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "./digest.ts";
import { installation } from "./installation.ts";

/** Sources by the program's name in dist/ (scripts/bundle.mjs). */
const SOURCES = {
  worker: "src/execute/worker.ts",
  "hash-thread": "src/files/hash-thread.ts",
  job: "src/batch/job.ts",
} as const;

type Name = keyof typeof SOURCES;

const found = new Map<Name, Promise<string>>();

/** Absolute path of a module that Node can run. */
export function entryPoint(name: Name): Promise<string> {
  let entry = found.get(name);
  if (entry === undefined) found.set(name, (entry = find(name)));
  return entry;
}

async function find(name: Name): Promise<string> {
  if (!import.meta.url.endsWith(".ts")) return join(installation(), `dist/${name}.js`);
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(installation(), SOURCES[name])],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
  });
  const code = outputFiles[0]?.text ?? "";
  const file = join(installation(), "node_modules/.cache/lq", `${name}-${sha256(code).slice(0, 16)}.mjs`);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}
