/** Task modules for tests that decide when a task ends. */

/** Reports its process id and that of a child as the note of its progress. Never ends by itself, and neither does the child. */
export const ENDLESS = `import { spawn } from "node:child_process";
import { task } from "lq";
export default task({
  async run({ progress }) {
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    progress(0.5, process.pid + " " + child.pid);
    await new Promise((resolve) => setTimeout(resolve, 1e9));
  },
});
`;

/** Says that it runs, then waits for the file that its param \`gate\` names, and writes its param \`text\`. */
export const GATED = `import { existsSync, watch, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({
  params,
  async run({ output, params: { gate, text }, progress, signal }) {
    await new Promise((resolve, reject) => {
      const look = () => existsSync(gate) && (watcher.close(), resolve());
      const watcher = watch(dirname(gate), look);
      signal.addEventListener("abort", () => (watcher.close(), reject(new Error("cancelled"))));
      progress(0.5, "waits");
      look();
    });
    writeFileSync(output(), text + "\\n");
  },
});
`;
