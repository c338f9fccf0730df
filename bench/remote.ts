/**
 * Compares `lq cache push` and `lq cache pull` with curl, on nginx on this machine: 10,000 objects of 4 KiB beside 16
 * curls at once, and one object of 1 GiB beside one curl. curl sends and receives the same bytes, checks nothing, and
 * asks for nothing first. The two take turns, three times; the table has medians of elapsed seconds.
 *
 *     npm run bench -- remote
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNginx, type Nginx } from "../test/helpers/nginx.ts";

const TURNS = 3;
const CASES = {
  "10,000 × 4 KiB": {
    rule: "mkdir -p ${out} && cd ${out} && for i in $(seq 10000); do head -c 4096 /dev/urandom > $i; done",
    out: "many/",
    lanes: 16,
  },
  "1 GiB": { rule: "head -c 1073741824 /dev/urandom > ${out}", out: "one.bin", lanes: 1 },
} as const;

const lq = join(process.cwd(), "dist/cli.cjs");
const rows: string[] = [];
for (const [name, { rule, out, lanes }] of Object.entries(CASES)) {
  const folder = mkdtempSync(join(tmpdir(), "lq-remote-"));
  try {
    await bench(name, folder, { rule, out, lanes });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.log(
  ["| objects | direction | lq s | curl s | curl ÷ lq |", "| --- | --- | --: | --: | --: |", ...rows].join(
    "\n",
  ),
);

interface Case {
  readonly rule: string;
  readonly out: string;
  readonly lanes: number;
}

async function bench(name: string, folder: string, { rule, out, lanes }: Case): Promise<void> {
  const project = join(folder, "project");
  mkdirSync(project);
  mkdirSync(join(folder, "nginx"));
  const pipeline = `version: 1\nrules:\n  make: { cmd: ${JSON.stringify(rule)}, out: ${out} }\n`;
  writeFileSync(join(project, "pipeline.yaml"), pipeline);
  const run = (url: string, ...words: string[]): number =>
    seconds(() =>
      execFileSync(process.execPath, [lq, ...words, "-q"], {
        cwd: project,
        env: { ...process.env, LQ_REMOTE: url },
      }),
    );
  run("", "build");
  const nginx = await startNginx(join(folder, "nginx"), null);
  try {
    const objects = objectsIn(join(project, "cache/objects"));
    const times = { push: [] as number[], pull: [] as number[], send: [] as number[], fetch: [] as number[] };
    for (let turn = 0; turn < TURNS; turn++) {
      rmSync(nginx.store, { recursive: true });
      mkdirSync(nginx.store);
      times.push.push(run(nginx.url, "cache", "push"));
      times.send.push(curl(nginx, folder, objects, lanes, "send"));
      times.fetch.push(curl(nginx, folder, objects, lanes, "fetch"));
      rmSync(join(project, "cache"), { recursive: true });
      rmSync(join(project, out), { recursive: true });
      times.pull.push(run(nginx.url, "cache", "pull"));
      run("", "build");
    }
    note(name, "push", times.push, times.send);
    note(name, "pull", times.pull, times.fetch);
  } finally {
    nginx.stop();
  }
}

/** Transfers the objects with curl. @returns seconds */
function curl(
  nginx: Nginx,
  folder: string,
  objects: readonly string[],
  lanes: number,
  how: "send" | "fetch",
): number {
  const received = join(folder, "received");
  mkdirSync(received, { recursive: true });
  const words =
    how === "send" ? ["-sfT", "{}", `${nginx.url}/curl/`] : ["-sf", "--output-dir", received, "-O"];
  const input = objects
    .map((file) => (how === "send" ? file : `${nginx.url}/curl/${file.split("/").at(-1)}`))
    .join("\n");
  const xargs = how === "send" ? ["-I", "{}", "-P", String(lanes)] : ["-n", "1", "-P", String(lanes)];
  const taken = seconds(() => execFileSync("xargs", [...xargs, "curl", ...words], { input }));
  rmSync(received, { recursive: true });
  return taken;
}

function objectsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

function note(name: string, direction: string, ours: readonly number[], theirs: readonly number[]): void {
  const [own, other] = [median(ours), median(theirs)];
  rows.push(
    `| ${name} | ${direction} | ${own.toFixed(1)} | ${other.toFixed(1)} | ${(other / own).toFixed(2)} |`,
  );
}

function seconds(work: () => unknown): number {
  const since = performance.now();
  work();
  return (performance.now() - since) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
