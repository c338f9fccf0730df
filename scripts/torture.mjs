/**
 * Runs for a long time what the tests do briefly, and writes the result of each seed to bench/TORTURE.md.
 *
 *     npm run torture              all harnesses, with the seeds of the day
 *     npm run torture -- kill      one of collect, damage, kill, nfs, oracle, output, user (test/torture/NAME.test.ts)
 *     LQ_SEED=1 LQ_SEEDS=20 npm run torture -- oracle
 *
 * The table counts every seed that ran on this machine since cache/torture.jsonl was last removed. A seed that ran
 * several times counts with its last result.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("..", import.meta.url));
const names = process.argv.slice(2);
const tests =
  names.length > 0
    ? names.map((name) => `test/torture/${name}.test.ts`)
    : ["test/torture", "test/load/fuzz.test.ts"];
const { status } = spawnSync("npx", ["vitest", "run", ...tests], {
  cwd: home,
  env: { ...process.env, LQ_TORTURE: "1" },
  stdio: "inherit",
});
writeFileSync(`${home}bench/TORTURE.md`, render(ends()));
process.exit(status ?? 1);

/** The last result of each seed, by the title of its test. */
function ends() {
  const file = `${home}cache/torture.jsonl`;
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  const titles = new Map();
  for (const { title, seed, counts, at } of lines.map((line) => JSON.parse(line))) {
    if (!titles.has(title)) titles.set(title, new Map());
    titles.get(title).set(seed, { counts, at });
  }
  return titles;
}

function render(titles) {
  const rows = [...titles].sort().map(([title, seeds]) => {
    const survived = [...seeds].filter(([, { counts }]) => counts !== null);
    const failed = [...seeds].filter(([, { counts }]) => counts === null).map(([seed]) => seed);
    const last = new Date(Math.max(...[...seeds.values()].map(({ at }) => at))).toISOString().slice(0, 10);
    return `| ${title} | ${total(survived)} | ${ranges(survived)} | ${failed.join(", ") || "none"} | ${last} |`;
  });
  return `# Torture

Made by \`npm run torture\`, which runs the harnesses of \`test/torture/\` for a long time: what lq survived, with which seeds. To repeat a seed: \`LQ_SEED=1038 LQ_SEEDS=1 npm run torture -- oracle\`.

| harness | survived | seeds | seeds that failed | last run |
| ------- | -------- | ----- | ----------------- | -------- |
${rows.join("\n")}
`;
}

function total(seeds) {
  const sums = new Map();
  for (const [, { counts }] of seeds)
    for (const [what, count] of Object.entries(counts)) sums.set(what, (sums.get(what) ?? 0) + count);
  return [...sums].map(([what, count]) => `${count.toLocaleString("en")} ${what}`).join(", ");
}

/** 1 to 4, 7 */
function ranges(seeds) {
  const runs = [];
  for (const seed of seeds.map(([seed]) => seed).sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === seed - 1) last[1] = seed;
    else runs.push([seed, seed]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(", ");
}
