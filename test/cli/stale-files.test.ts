/** `lq cache gc` on stale files outside the store: scratch of unfinished tasks, bundles of changed code. */
import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { settle } from "../helpers/settle.ts";

const PIPELINE = `version: 1
params: params.yaml
rules:
  data: { cmd: "cat \${in} > \${out}", in: data.txt, out: out/data.txt }
  train:
    resume: true
    cmd: "echo \${seed} > \${scratch}/state; [ -e go ]; cp \${scratch}/state \${out}"
    in: out/data.txt
    out: out/model.txt
`;

/** Two interrupted trainings; the seed of one is no longer in the params. */
async function twoCutOff(): Promise<CliProject> {
  const of = cliProject({ "pipeline.yaml": PIPELINE, "params.yaml": "seed: 1\n", "data.txt": "data\n" });
  expect((await of.lq("build")).code).toBe(1);
  of.write("params.yaml", "seed: 2\n");
  expect((await of.lq("build")).code).toBe(1);
  expect(states(of)).toEqual(["1\n", "2\n"]);
  return of;
}

function states(of: CliProject): string[] {
  return readdirSync(of.path("cache/scratch"))
    .map((key) => of.read(`cache/scratch/${key}/state`))
    .sort();
}

async function gc(of: CliProject, ...words: string[]): Promise<Record<string, unknown> | undefined> {
  return (await of.json("cache", "gc", ...words)).at(-1);
}

test("removes scratch of keys that no task has, and keeps scratch of a training that can resume", async () => {
  const of = await twoCutOff();
  const [preview] = await of.json("cache", "gc", "--keep-days", "0", "-n");
  expect(preview).toMatchObject({ dryRun: true, scratch: 1, spared: 1 });
  expect(states(of)).toEqual(["1\n", "2\n"]);
  const { code, stdout } = await of.lq("cache", "gc", "--keep-days", "0");
  expect(code).toBe(0);
  expect(stdout).toContain("1 scratch folder of unfinished tasks");
  expect(stdout).toContain("scratch folder of the same age");
  expect(states(of)).toEqual(["2\n"]);
  of.write("go", "");
  expect((await of.lq("build")).code).toBe(0);
  expect(of.read("out/model.txt")).toBe("2\n");
});

test("removes scratch only by age, counted from its newest file", async () => {
  const of = await twoCutOff();
  const old = new Date(Date.now() - 10 * 86_400_000);
  const folders = readdirSync(of.path("cache/scratch")).map((key) => of.path(`cache/scratch/${key}`));
  for (const folder of folders) utimesSync(folder, old, old);
  expect(await gc(of, "--keep-days", "5")).toMatchObject({ scratch: 0, spared: 0 });
  expect(await gc(of, "--keep-size", "1TiB")).toMatchObject({ scratch: 0, spared: 0 });
  for (const folder of folders) utimesSync(`${folder}/state`, old, old);
  expect(await gc(of, "--keep-days", "5")).toMatchObject({ scratch: 1, spared: 1 });
});

test("keeps all scratch while a training's key is unknown because other tasks have to run first", async () => {
  const of = await twoCutOff();
  of.write("data.txt", "other data\n");
  expect(await gc(of, "--keep-days", "0")).toMatchObject({ scratch: 0, spared: 2 });
  of.write("pipeline.yaml", "version: 2\n");
  expect((await of.lq("cache", "gc", "--keep-days", "0")).code).toBe(2);
  of.write("pipeline.yaml", PIPELINE.replace("cp ${scratch}", "cp ${scrap}"));
  expect((await of.lq("cache", "gc", "--keep-days", "0")).code).toBe(2);
  expect(states(of)).toHaveLength(2);
});

test("also knows trainings of rules that are not in the default", async () => {
  const of = await twoCutOff();
  of.write("pipeline.yaml", `${PIPELINE}default: out/data.txt\n`);
  expect(await gc(of, "--keep-days", "0")).toMatchObject({ scratch: 1, spared: 1 });
  expect(states(of)).toEqual(["2\n"]);
});

test("removes bundles of changed code; lq makes a bundle again when it needs one", async () => {
  const module = (word: string): string =>
    `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ output }) => writeFileSync(output(), "${word}") });
`;
  const of = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  one: { run: one.ts, out: one.txt }\n`,
  });
  for (const word of ["first", "second"]) {
    of.write("one.ts", module(word));
    await settle();
    await of.built();
  }
  const bundles = (): string[] => readdirSync(of.path("cache/code"));
  expect(bundles()).toHaveLength(2);
  // A command that does a trial run may be about to use them.
  expect(await gc(of, "--keep-days", "0")).toMatchObject({ code: 0 });
  const old = new Date(Date.now() - 2 * 3_600_000);
  for (const name of bundles()) utimesSync(of.path(`cache/code/${name}`), old, old);
  expect(await gc(of, "--keep-days", "0", "-n")).toMatchObject({ code: 1 });
  expect(await gc(of, "--keep-size", "1TiB")).toMatchObject({ code: 1 });
  expect(bundles()).toHaveLength(1);
  expect((await of.built()).summary).toMatchObject({ ran: 0, fresh: 1 });
  expect((await of.build({ force: true, targets: ["one.txt"] })).summary).toMatchObject({ ran: 1 });
  of.write("one.ts", module("first"));
  expect((await of.build({ force: true, targets: ["one.txt"] })).summary).toMatchObject({ ran: 1 });
  expect(of.read("one.txt")).toBe("first");
});

test("removes nothing while a build runs", async () => {
  const of = await twoCutOff();
  of.write("pipeline.yaml", `${PIPELINE}  hold: { cmd: "cat go; touch \${out}", out: out/hold }\n`);
  of.fifo("go");
  const beside = of.start("build", "out/hold", "--json");
  await beside.line('"start"');
  for (const words of [["-n"], []])
    expect(await gc(of, "--keep-days", "0", ...words)).toMatchObject({ scratch: 0, code: 0, spared: 0 });
  writeFileSync(of.path("go"), "");
  expect((await beside.ended).code).toBe(0);
  expect(await gc(of, "--keep-days", "0")).toMatchObject({ scratch: 1 });
});
