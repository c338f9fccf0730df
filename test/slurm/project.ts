/** A project with twelve tasks, one that gathers them, and two that show the result: one on Slurm, one here. */
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

export const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

export interface Pipeline {
  /** Below `slurm:`. */
  readonly slurm?: string;
  /** Slots of the twelve tasks. */
  readonly slots?: string;
  readonly cmd?: string;
  /** More keys of the rule of the twelve. */
  readonly rule?: string;
}

/** Each run of the twelve leaves a line in `started`. */
export function slurmProject({
  slurm = "{ time: 5m, poll: 1s }",
  slots = "{ cpu: 1 }",
  cmd,
  rule = "",
}: Pipeline = {}): CliProject {
  return cliProject({
    "pipeline.yaml": `
version: 1
axes: { letter: [${LETTERS.join(", ")}] }
slurm: ${slurm}
rules:
  letter:
    each: [letter]
    cmd: ${JSON.stringify(cmd ?? "echo ${letter} >> started; echo ${letter} > ${out}")}
    out: letters/\${letter}.txt
    slots: ${slots}
    ${rule}
  gather: { in: letters/, cmd: "cat \${in}*.txt > \${out}", out: all.txt }
  show: { in: all.txt, cmd: "echo $\${SLURM_JOB_ID:-none} > node; cat \${in} > \${out}", out: show.txt }
  here: { in: all.txt, cmd: "echo $\${SLURM_JOB_ID:-none} > driver; cat \${in} > \${out}", out: here.txt, slurm: false }
`,
  });
}

/** Tasks that ended with an outcome, sorted. */
export function withOutcome(lines: readonly JsonLine[], outcome: string): readonly string[] {
  return lines
    .filter((line) => line.type === "task" && line["outcome"] === outcome)
    .map((line) => String(line["task"]))
    .sort();
}

export const ALL = [...LETTERS.map((letter) => `letter:${letter}`), "gather", "here", "show"].sort();
