/**
 * Writes the paper's tables to docs/tables/paper/, with the same code that writes the tables of the study.
 *
 *     node scripts/paper-tables.mjs [FOLDER]
 */
import { build } from "esbuild";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("..", import.meta.url));
const folder = process.argv[2] ?? join(home, "docs/tables/paper");

const { outputFiles } = await build({
  stdin: {
    contents: `export * from "./paper.ts"; export * from "./render.ts";`,
    resolveDir: join(home, "tasks/study/tables"),
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { PAPER_TABLES, paperTable, RENDERERS } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`
);

mkdirSync(folder, { recursive: true });
for (const name of PAPER_TABLES)
  for (const ending of ["md", "csv", "tex", "html"])
    writeFileSync(join(folder, `${name}.${ending}`), RENDERERS[ending](paperTable(name), name));
