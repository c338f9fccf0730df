/** Compiles lq once before the tests that start it as a user does. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const HOME = fileURLToPath(new URL("../..", import.meta.url));

export default function bundle(): void {
  execFileSync(process.execPath, [`${HOME}scripts/bundle.mjs`], { stdio: "inherit" });
}
