/** A Python that has PyTorch. Tests that need it are skipped, and say so, if there is none. */
import { spawnSync } from "node:child_process";

const candidates = [process.env["LQ_PYTHON"], "/usr/bin/python3", "python3"].filter(
  (name) => name !== undefined,
);

const found = find();
/** The interpreter, now also in LQ_PYTHON; null (with a printed notice) if no interpreter has PyTorch. */
export const python = found?.name ?? null;
/** The version of its PyTorch, as params have it. */
export const torchVersion = found?.version ?? null;

/** Backends that tests can run: onnx always, torch if there is one. */
export const backends: readonly ("onnx" | "torch")[] = python === null ? ["onnx"] : ["onnx", "torch"];

function find() {
  for (const name of candidates) {
    const asked = spawnSync(name, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
    if (asked.status !== 0) continue;
    process.env["LQ_PYTHON"] = name;
    return { name, version: asked.stdout.trim() };
  }
  console.warn("skipped: no Python has PyTorch (Debian: python3-torch; or name one in LQ_PYTHON)");
  return null;
}
