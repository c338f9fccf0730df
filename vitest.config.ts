import { defineConfig } from "vitest/config";
import { viteThreadImports } from "./scripts/thread-imports.mjs";

export default defineConfig({
  plugins: [viteThreadImports],
  resolve: { alias: { lq: new URL("./src/api.ts", import.meta.url).pathname } },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/helpers/bundle.ts",
    testTimeout: 60_000,
    pool: "forks",
    // Of two cores: many tests wait for processes and clocks.
    maxWorkers: 3,
  },
});
