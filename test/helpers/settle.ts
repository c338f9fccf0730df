import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { isRacy, signatureOf } from "../../src/files/signature.ts";

/**
 * Waits until everything written so far is older than a tick of the file system's clock. lq does not rely on a file that
 * is newer, because an edit could leave its signature the same.
 */
export async function settle(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lq-clock-"));
  writeFileSync(join(folder, "now"), "");
  const written = signatureOf(statSync(join(folder, "now")));
  while (isRacy(written, Date.now())) await setImmediate();
  rmSync(folder, { recursive: true });
}
