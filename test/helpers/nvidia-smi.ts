/** A fake driver for tests: makes a program `nvidia-smi` in a folder and puts this folder on PATH. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, vi } from "vitest";

const folders: string[] = [];

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** @param answer lines that `--query-gpu=index,uuid,memory.total,memory.used,mig.mode.current,name` prints */
export function fakeDriver(answer: readonly string[]): void {
  fakeDriverScript(`cat <<'END'\n${answer.join("\n")}\nEND`);
}

/** @returns the program's path */
export function fakeDriverScript(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), "lq-smi-"));
  chmodSync(folder, 0o755); // for every user
  folders.push(folder);
  const program = join(folder, "nvidia-smi");
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
  return program;
}
