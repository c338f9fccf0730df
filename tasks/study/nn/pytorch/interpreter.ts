/** Which Python runs PyTorch, and what to do if it cannot. */

/** The interpreter: `LQ_PYTHON`, which lq also sets if `environment:` names a Python, else `python3` on the path. */
export function interpreter(): string {
  return process.env["LQ_PYTHON"] || "python3";
}

/** One sentence for an interpreter that cannot run PyTorch; `stderr` is what it printed. */
export function notUsable(python: string, stderr: string): string {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  const why = stderr.includes("No module named 'torch'") ? "has no PyTorch" : `cannot run PyTorch (${last})`;
  return `${python} ${why}: name one that has it (environment: { python: … }, or LQ_PYTHON), or set backend: onnx, which needs none`;
}
