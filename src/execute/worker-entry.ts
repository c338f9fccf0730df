/** The program of worker processes: compiled with lq, or, when lq runs from its sources, compiled here. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../fingerprint/digest.ts";
import { installation } from "../fingerprint/installation.ts";

let entry: Promise<string> | undefined;

/** Absolute path of a module that Node can run. */
export function workerEntry(): Promise<string> {
  entry ??= find();
  return entry;
}

async function find(): Promise<string> {
  const here = fileURLToPath(import.meta.url);
  if (!here.endsWith(".ts")) return join(installation(), "dist/worker.js");
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(dirname(here), "worker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
  });
  const code = outputFiles[0]?.text ?? "";
  const file = join(installation(), "node_modules/.cache/lq", `worker-${sha256(code).slice(0, 16)}.mjs`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, code);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}
