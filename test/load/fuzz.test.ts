/** Whatever the files of a pipeline hold, lq gives a graph or a UserError, and quickly. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { expand } from "../../src/expand/expand.ts";
import { renderDiagnostics } from "../../src/load/render.ts";
import { Lq, type Ended } from "../helpers/cli.ts";
import { rounds, torture } from "../torture/torture.ts";
import { testFolder } from "../helpers/folder.ts";
import { load } from "../helpers/load.ts";
import { VALID } from "./valid.ts";

const ROUNDS = rounds(200, 3000);
const SCRAPS = [
  "${",
  "}",
  "[",
  "]",
  "{",
  "*a",
  "&a ",
  "!!set ",
  "\n",
  "\t",
  ":",
  "- ",
  "'",
  '"',
  "..",
  "\0",
  "%YAML 1.1\n---\n",
];
/** Aliases that stand for 9^30 values. */
const BOMB = `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]`).join("\n")}`;
const VALUES = [
  "null",
  "[]",
  "{}",
  "-1",
  "1e999",
  "true",
  "/",
  "${in}",
  "~",
  "? x",
  "<<: *a",
  "__proto__",
  "constructor",
];

/** Mulberry32: a small seeded generator. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function mutate(text: string, next: (below: number) => number): string {
  const at = next(text.length);
  const to = Math.min(text.length, at + 1 + next(30));
  const pick = (list: readonly string[]) => list[next(list.length)] ?? "";
  switch (next(6)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(SCRAPS) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at, to).repeat(2) + text.slice(to);
    case 3:
      return next(2) === 0
        ? `${text}\n${BOMB}\n`
        : `${text.slice(0, at)}{ ${BOMB.replaceAll("\n", ", ")} }${text.slice(at)}`;
    case 4:
      return text.replace(/: [^\n{[,}]+/g, (value) => (next(12) === 0 ? `: ${pick(VALUES)}` : value));
    default:
      return text.slice(0, at) + String.fromCodePoint(1 + next(0x2fff)) + text.slice(to);
  }
}

/** Matches when every error has a place. */
const LOCATED = /^(?![^]*^error: )[\w.]+\.yaml:\d+:\d+: error: /m;

torture("mutated pipelines and params", { quick: 1, long: 1 }, (seed) => {
  const outcomes = { right: 0, refused: 0, slowest: 0 };
  for (const [i, files] of Object.values(VALID).entries()) {
    const dir = testFolder(files);
    const next = random(seed + i);
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of ["pipeline.yaml", "params.yaml"]) {
        let text = files[name] ?? "";
        for (let n = next(4); n >= 0 && text.length > 0; n--) text = mutate(text, next);
        writeFileSync(join(dir, name), text);
      }
      const start = process.cpuUsage();
      try {
        expand(load(dir)).check();
        outcomes.right++;
      } catch (error) {
        if (!(error instanceof UserError)) throw new Error(`project ${i}, round ${round}`, { cause: error });
        const text = renderDiagnostics(error.diagnostics, { root: dir, color: false });
        expect([i, round, text]).toEqual([i, round, expect.stringMatching(LOCATED)]);
        outcomes.refused++;
      }
      outcomes.slowest = Math.max(outcomes.slowest, process.cpuUsage(start).user / 1000);
    }
  }
  expect(outcomes.refused).toBeGreaterThan(ROUNDS);
  // Milliseconds of CPU time, and the most bytes that the process ever had.
  expect(outcomes.slowest).toBeLessThan(1000);
  expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(500e6);
  return { files: 2 * (outcomes.right + outcomes.refused) };
});

const hostile: { readonly [name: string]: string } = {
  "a hundred thousand brackets": "[".repeat(100_000),
  "a hundred thousand braces": "{a: ".repeat(100_000),
  "a hundred thousand dashes": "- ".repeat(100_000),
  "deep indentation": Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  "deep lists": Array.from({ length: 3000 }, (_, i) => `${" ".repeat(2 * i)}-`).join("\n"),
  "many keys": Array.from({ length: 5_000 }, (_, i) => `k${i}: 1`).join("\n"),
  "a bomb of aliases": BOMB,
  "many aliases": `a: &a 1\n${Array.from({ length: 5_000 }, (_, i) => `k${i}: *a`).join("\n")}`,
  "an anchor of itself": "a: &a { b: *a }",
  "an empty file": "",
  "only a comment": "# nothing",
  "two documents": "a: 1\n---\nb: 2",
};

test.each(Object.entries(hostile))("%s", async (_, text) => {
  const dir = testFolder({ "pipeline.yaml": text });
  expect(() => load(dir)).toThrow(UserError);
  // As params most of these texts are wrong too; lq must refuse them quickly.
  const other = testFolder({
    "pipeline.yaml": VALID["design"]?.["pipeline.yaml"] ?? "",
    "params.yaml": text,
  });
  expect(() => load(other)).toThrow(UserError);
  for (const root of [dir, other]) {
    const { code, stderr, bytes, ...first } = await usedBy(root);
    expect([code, stderr]).toEqual([2, expect.stringMatching(LOCATED)]);
    expect(stderr).not.toContain("    at ");
    // Other programs on the machine can only make it slower, so take the least of three times.
    let { milliseconds } = first;
    for (let more = 2; more > 0 && milliseconds >= 1000; more--)
      milliseconds = Math.min(milliseconds, (await usedBy(root)).milliseconds);
    expect(milliseconds).toBeLessThan(1000);
    expect(bytes).toBeLessThan(500e6);
  }
});

/** CPU time and memory that the command used on a project, as the system counts them. */
async function usedBy(
  root: string,
): Promise<Ended & { readonly milliseconds: number; readonly bytes: number }> {
  const used = join(root, "used.json");
  writeFileSync(
    join(root, "used.mjs"),
    `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync(${JSON.stringify(used)}, JSON.stringify(process.resourceUsage())));
`,
  );
  vi.stubEnv("NODE_OPTIONS", `--import=${join(root, "used.mjs")}`);
  const ended = await new Lq(["status"], root).ended;
  vi.unstubAllEnvs();
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(
    readFileSync(used, "utf8"),
  ) as NodeJS.ResourceUsage;
  return { ...ended, milliseconds: (userCPUTime + systemCPUTime) / 1000, bytes: maxRSS * 1024 };
}
