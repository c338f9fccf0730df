/**
 * Runs benches and writes their output to bench/RESULTS.md, one section for each. Text that people wrote there under
 * "### Notes" stays.
 *
 *     npm run bench              all benches
 *     npm run bench -- engine    the named ones (bench/NAME.ts); words after a second "--" go to them
 */
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { threadImports } from "./thread-imports.mjs";

const home = fileURLToPath(new URL("..", import.meta.url));
const results = `${home}bench/RESULTS.md`;
const NOTES = "### Notes\n";
const known = readdirSync(`${home}bench`).flatMap((name) => /^(.*)\.ts$/.exec(name)?.[1] ?? []);
const words = process.argv.slice(2);
const cut = words.indexOf("--");
const [named, rest] = cut < 0 ? [words, []] : [words.slice(0, cut), words.slice(cut + 1)];
const unknown = named.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}

execFileSync(process.execPath, [`${home}scripts/bundle.mjs`], { stdio: "inherit" });
for (const name of named.length > 0 ? named : known) {
  const printed = await run(name);
  const old = sections(readOrEmpty(results));
  const [, notes] = (old.get(name) ?? "").split(NOTES);
  const made = /^[|#]/m.test(printed) ? printed : `\`\`\`text\n${printed}\n\`\`\``;
  old.set(name, notes === undefined ? made : `${made}\n\n${NOTES}${notes}`);
  writeFileSync(results, render(old));
}

async function run(name) {
  mkdirSync(`${home}cache`, { recursive: true });
  const outfile = `${home}cache/bench-${name}.mjs`;
  const entryPoints = [`${home}bench/${name}.ts`];
  const options = { bundle: true, platform: "node", format: "esm", packages: "external" };
  await build({ ...options, entryPoints, outfile, plugins: [threadImports] });
  const started = { cwd: home, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 26 };
  return execFileSync(process.execPath, [outfile, ...rest], started).trim();
}

function readOrEmpty(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function sections(text) {
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n")).trim()]),
  );
}

function render(all) {
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, Node ${process.version}`;
  const head = `# Results\n\nMade by \`npm run bench\`, last on a machine with ${machine}. A ratio compares two runs of one session.\n`;
  const body = [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => `## ${name}\n\n${text}\n`);
  return [head, ...body].join("\n");
}
