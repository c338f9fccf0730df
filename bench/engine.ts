/**
 * Compares lq with ninja, make and snakemake, as far as they are installed. The graph: N sources, a chain of two copies
 * for each, and one last task.
 *
 *     npm run bench -- engine                       graphs of 100, 1,000 and 10,000 tasks
 *     npm run bench -- engine -- 10000 100000       graphs of 10,000 and 100,000 tasks (about 20 minutes)
 *
 * Programs take turns; short runs are repeated three times. Shows medians of CPU seconds (user + system, all processes)
 * and of elapsed seconds. The page cache stays warm.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

interface Cost {
  readonly cpu: number;
  readonly wall: number;
  /** Peak memory in MiB. */
  readonly memory: number;
}

/** The largest graph of each program. Larger ones take minutes and show nothing new. */
const MOST = { lq: Infinity, ninja: Infinity, make: 1_000, snakemake: 100 };
/** Up to this size, the bench also restores everything from the cache and builds TypeScript tasks. */
const MOST_BESIDES = 10_000;
/** Shortest CPU time, in seconds, to compare with; a shorter one is only a few clock ticks. */
const LEAST = 0.05;
const words = process.argv.slice(2);
const sizes = words.length > 0 ? words.map(Number) : [100, 1_000, 10_000];
const lq = join(process.cwd(), "dist/cli.cjs");
const node = process.execPath;

const jobs = String(availableParallelism());

const programs = {
  lq: [node, lq, "build", "-q", "-j", jobs],
  ninja: ["ninja", "-j", jobs],
  make: ["make", "-r", "-s", "-j", jobs],
  snakemake: ["snakemake", "--quiet", "-j", jobs],
} as const;
type Program = keyof typeof programs;

// Extra certificates make every start of Node slower, which would distort the ratios.
delete process.env["NODE_EXTRA_CA_CERTS"];

const rows: string[] = [];
const made: string[] = [];
const start = median(3, () => measure([node, "-e", "0"], process.cwd()));
note("", "", "`node -e 0`", start);
for (const size of sizes) benchGraph(size);
// Remove the folders only at the end: after a large removal, ext4 creates files more slowly for some seconds.
for (const folder of made) rmSync(folder, { recursive: true });
console.log(
  [
    "| tasks | what | program | CPU s | wall s | MiB | lq ÷ it (CPU) |",
    "| --: | --- | --- | --: | --: | --: | --: |",
    ...rows,
  ].join("\n"),
);

function benchGraph(size: number): void {
  const full = new Map<Program, Cost>();
  const idle = new Map<Program, Cost[]>();
  const folders = new Map<Program, string>();
  for (const program of installed(size)) {
    const folder = copies(size / 2);
    folders.set(program, folder);
    full.set(program, measure(programs[program], folder));
    measure(programs[program], folder);
  }
  compare(size, "full build", full);
  if (size <= MOST_BESIDES) benchModules(size, full.get("ninja"));
  for (let round = 0; round < 3; round++)
    for (const [program, folder] of folders)
      idle.set(program, [...(idle.get(program) ?? []), measure(programs[program], folder)]);
  const nothing = new Map([...idle].map(([program, costs]) => [program, middle(costs)]));
  compare(size, "nothing to do", nothing);

  const folder = folders.get("lq") ?? "";
  note(
    size,
    "status",
    "lq",
    median(3, () => measure([node, lq, "status"], folder)),
  );
  const changed = new Map<Program, Cost[]>();
  for (let round = 0; round < 3; round++)
    for (const [program, at] of folders) {
      appendFileSync(join(at, `src/${round}.txt`), "more\n");
      changed.set(program, [...(changed.get(program) ?? []), measure(programs[program], at)]);
    }
  const one = new Map([...changed].map(([program, costs]) => [program, middle(costs)]));
  compare(size, "one source changed", one);
  const idleCost = nothing.get("lq");
  if (idleCost !== undefined) note(size, "nothing to do, beside that", "lq", idleCost, one.get("lq"));
  if (size > MOST_BESIDES) return;
  for (const name of ["one", "two", "all.txt"]) rmSync(join(folder, name), { recursive: true });
  note(size, "restore all", "lq", measure(programs.lq, folder));
}

/** Builds TypeScript tasks, and the same copies as commands of ninja. */
function benchModules(size: number, ninja: Cost | undefined): void {
  const own = measure(programs.lq, copies(size / 2, true));
  note(size, "full build, TypeScript tasks", "lq", own);
  if (ninja !== undefined) note(size, "full build of commands", "ninja", ninja, own);
}

function installed(size: number): Program[] {
  return (Object.keys(programs) as Program[]).filter((program) => {
    if (program === "lq") return true;
    if (size > MOST[program]) return false;
    return spawnSync(programs[program][0], ["--version"]).status === 0;
  });
}

function measure([command = "", ...words]: readonly string[], cwd: string): Cost {
  const timed = spawnSync("/usr/bin/time", ["-f", "%U %S %e %M", "-o", `${cwd}/.time`, command, ...words], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"], // ninja prints a line for each task
  });
  if (timed.error || timed.status !== 0) throw new Error(`${command} failed: ${String(timed.stderr)}`);
  const [user = 0, system = 0, wall = 0, kilobytes = 0] = spawnSync("cat", [`${cwd}/.time`], {
    encoding: "utf8",
  })
    .stdout.trim()
    .split(" ")
    .map(Number);
  rmSync(`${cwd}/.time`);
  return { cpu: user + system, wall, memory: kilobytes / 1024 };
}

function median(rounds: number, run: () => Cost): Cost {
  return middle(Array.from({ length: rounds }, run));
}

function middle(costs: readonly Cost[]): Cost {
  const of = (key: keyof Cost) =>
    costs.map((cost) => cost[key]).sort((a, b) => a - b)[costs.length >> 1] ?? 0;
  return { cpu: of("cpu"), wall: of("wall"), memory: of("memory") };
}

function compare(size: number, what: string, costs: ReadonlyMap<Program, Cost>): void {
  const own = costs.get("lq");
  for (const [program, cost] of costs) note(size, what, program, cost, own);
}

function note(size: number | "", what: string, program: string, cost: Cost, own?: Cost): void {
  const ratio = own === undefined || own === cost || cost.cpu < LEAST ? "" : (own.cpu / cost.cpu).toFixed(2);
  const { cpu, wall, memory } = cost;
  const row = `| ${size} | ${what} | ${program} | ${cpu.toFixed(2)} | ${wall.toFixed(2)} | ${memory.toFixed(0)} | ${ratio} |`;
  rows.push(row);
  console.error(row);
}

/** Makes a folder with the graph in the format of each program. */
function copies(sources: number, modules = false): string {
  const folder = mkdtempSync(join(tmpdir(), "lq-bench-"));
  made.push(folder);
  mkdirSync(join(folder, "src"));
  const names = Array.from({ length: sources }, (_, i) => String(i));
  for (const name of names) writeFileSync(join(folder, `src/${name}.txt`), `source ${name}\n`);
  // Two different modules: with one, lq would run only one copy of each chain and restore the other.
  const how = (step: string) => (modules ? `run: ${step}.ts` : 'cmd: "cp ${in} ${out}"');
  writeFileSync(
    join(folder, "pipeline.yaml"),
    `version: 1
axes: { name: { glob: "src/*.txt" } }
rules:
  first: { each: [name], ${how("first")}, in: "src/\${name}.txt", out: "one/\${name}.txt" }
  second: { each: [name], ${how("second")}, in: "one/\${name}.txt", out: "two/\${name}.txt" }
  all: { cmd: "touch \${out}", in: "two/", out: "all.txt" }
`,
  );
  for (const step of ["first", "second"])
    writeFileSync(
      join(folder, `${step}.ts`),
      `import { copyFileSync } from "node:fs";
import { task } from "lq";
const step = "${step}";
export default task({
  run({ input, output }) {
    if (step !== "") copyFileSync(input(), output());
  },
});
`,
    );
  const twos = names.map((name) => `two/${name}.txt`).join(" ");
  const edges = names.map(
    (name) => `build one/${name}.txt: cp src/${name}.txt\nbuild two/${name}.txt: cp one/${name}.txt\n`,
  );
  writeFileSync(
    join(folder, "build.ninja"),
    `rule cp\n  command = cp $in $out\nrule touch\n  command = touch $out\n${edges.join("")}build all.txt: touch ${twos}\n`,
  );
  writeFileSync(
    join(folder, "Makefile"),
    `names := $(patsubst src/%.txt,%,$(wildcard src/*.txt))
all.txt: $(names:%=two/%.txt)\n\ttouch $@
one/%.txt: src/%.txt | one\n\tcp $< $@
two/%.txt: one/%.txt | two\n\tcp $< $@
one two:\n\tmkdir -p $@
.SECONDARY:\n`,
  );
  writeFileSync(
    join(folder, "Snakefile"),
    `names = glob_wildcards("src/{name}.txt").name
rule last:
    input: expand("two/{name}.txt", name=names)
    output: "all.txt"
    shell: "touch {output}"
rule first:
    input: "src/{name}.txt"
    output: "one/{name}.txt"
    shell: "cp {input} {output}"
rule second:
    input: "one/{name}.txt"
    output: "two/{name}.txt"
    shell: "cp {input} {output}"
`,
  );
  return folder;
}
