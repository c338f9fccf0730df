import { defineConfig } from "vitest/config";
import { viteThreadImports } from "./scripts/thread-imports.mjs";

export default defineConfig({
  plugins: [viteThreadImports],
  resolve: { alias: { lq: new URL("./src/api.ts", import.meta.url).pathname } },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/helpers/bundle.ts",
    // Long, for machines that are busy with other things: what hangs is told of all the same.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    pool: "forks",
    // Of two cores: many tests wait for processes and clocks.
    maxWorkers: 3,
  },
});
