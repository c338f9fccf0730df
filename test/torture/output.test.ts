/** Tasks that print gigabytes: the log and lq's memory stay small, and other tasks go on. */
import { readFileSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { cliProject, type JsonLine } from "../helpers/cli.ts";
import { rounds, torture } from "./torture.ts";

const MiB = 2 ** 20;

torture("a flood of output", { quick: 1, long: 1 }, async () => {
  const size = rounds(64, 1024) * MiB;
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  line: { cmd: "head -c ${size} /dev/zero | tr '\\\\0' x; echo > \${out}", out: line }
  bytes: { cmd: "head -c ${size} /dev/zero | tr '\\\\0' '\\\\377'; echo the end; exit 3", out: bytes }
  last: { cmd: "cat pipe > \${out}", in: line, out: last }
`,
  });
  project.fifo("pipe");
  const lq = project.start("build", "--json", "-k", "-j", "2");
  const lines: string[] = [];
  while (lines.filter((line) => line.includes('"type":"task"')).length < 2)
    lines.push(...(await lq.line('"type":"task"')));
  const [, peak = ""] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${lq.pid}/status`, "utf8")) ?? [];
  writeFileSync(project.path("pipe"), "done\n");
  expect((await lq.ended).code).toBe(1);
  expect(project.read("last")).toBe("done\n");
  expect(Number(peak) * 1024).toBeLessThan(300 * MiB);
  for (const rule of ["line", "bytes"]) {
    const log = readFileSync(project.path(`cache/logs/${rule}/${rule}.log`));
    expect(log.length).toBeLessThan(8.2 * MiB);
    expect(log.toString("latin1")).toMatch(
      new RegExp(`\\[lq: \\d+ bytes left out\\]\n.*${rule === "bytes" ? "the end\n" : ""}$`),
    );
  }
  const failed = lines
    .map((line) => JSON.parse(line) as JsonLine)
    .find((line) => line["outcome"] === "failed");
  expect((failed?.["tail"] as readonly string[]).at(-1)).toMatch(/the end$/);
  return { "MiB printed": (2 * size) / MiB };
});
