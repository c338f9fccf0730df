import { expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine, type Lq } from "../helpers/cli.ts";
import { GATED } from "../helpers/modules.ts";

const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  name: { glob: "src/*.txt" }
rules:
  upper:
    each: { name: name }
    cmd: "tr a-z A-Z < \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "upper/\${name}.txt"
  all:
    cmd: "cat \${in}*.txt > \${out}; echo \${suffix} >> \${out}"
    in: upper/
    out: all.txt
`,
  "params.yaml": "suffix: end\n",
  "src/a.txt": "a\n",
  "src/b.txt": "b\n",
};

const WAITING = '"state":"waiting"';

async function round(lq: Lq): Promise<JsonLine[]> {
  return (await lq.line(WAITING))
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as JsonLine);
}

/** Lines like "ran upper:a", sorted, without fresh tasks. */
function outcomes(events: readonly JsonLine[]): string[] {
  return events
    .filter(({ type, outcome }) => type === "task" && outcome !== "fresh")
    .map(({ task, outcome }) => `${String(outcome)} ${String(task)}`)
    .sort();
}

function changed(events: readonly JsonLine[]): unknown {
  return events.find(({ state }) => state === "changed")?.paths;
}

async function watched(project: CliProject): Promise<Lq> {
  const lq = project.start("watch", "--json");
  expect(outcomes(await round(lq))).toEqual(["ran all", "ran upper:a", "ran upper:b"]);
  return lq;
}

test("an edit rebuilds exactly the tasks that depend on it, and watch says what changed", async () => {
  const project = cliProject(FILES);
  const lq = await watched(project);

  project.write("src/b.txt", "beta\n");
  const edited = await round(lq);
  expect(changed(edited)).toEqual(["src/b.txt"]);
  expect(outcomes(edited)).toEqual(["ran all", "ran upper:b"]);

  project.write("params.yaml", "suffix: fin\n");
  expect(outcomes(await round(lq))).toEqual(["ran all"]);
  expect(project.read("all.txt")).toBe("A\nBETA\nfin\n");

  lq.kill("SIGINT");
  expect((await lq.ended).code).toBe(130);
});

test("a watch of many builds prints only what they do", async () => {
  const project = cliProject(FILES);
  const lq = await watched(project);
  for (let i = 0; i < 12; i++) {
    project.write("src/b.txt", `${i} a\n`);
    expect(outcomes(await round(lq))).toEqual(["ran all", "ran upper:b"]);
  }
  lq.kill("SIGINT");
  expect((await lq.ended).stderr).toBe(
    "interrupted: ending the running tasks (Ctrl-C again: exit at once)\n",
  );
});

test("an interrupt during a build ends the watch without a message about waiting", async () => {
  const project = cliProject({
    "pipeline.yaml": "version: 1\nrules: { r: { cmd: 'sleep 1000; touch ${out}', out: r.txt } }\n",
  });
  const lq = project.start("watch", "--json");
  await lq.line('"type":"start"');
  lq.kill("SIGINT");
  const { code, stdout } = await lq.ended;
  expect(code).toBe(130);
  expect(stdout).not.toContain(WAITING);
});

test("new and removed source files are seen; a file that no task reads is not", async () => {
  const project = cliProject(FILES);
  const lq = await watched(project);

  project.write("README.md", "of no interest\n");
  project.write("src/c.txt", "c\n");
  const added = await round(lq);
  expect(changed(added)).toEqual(["src/c.txt"]);
  expect(outcomes(added)).toEqual(["ran all", "ran upper:c"]);

  project.remove("src/c.txt");
  const removed = await round(lq);
  expect(changed(removed)).toEqual(["src/c.txt"]);
  expect(outcomes(removed)).toEqual(["restored all"]);
  expect(project.has("upper/c.txt")).toBe(false);
});

test("a broken pipeline is reported, and the watch goes on", async () => {
  const project = cliProject(FILES);
  const lq = await watched(project);

  project.write("pipeline.yaml", FILES["pipeline.yaml"].replace("rules:", "rulse:"));
  const lines = await lq.line(WAITING);
  // On stderr, so it may come before or after lines on stdout.
  const told = "pipeline.yaml:5:1: error:";
  if (!lines.some((line) => line.includes(told))) await lq.line(told);
  const place = { file: "pipeline.yaml", line: 5, column: 1, hint: 'did you mean "rules"?' };
  const error = lines.find((line) => line.startsWith('{"type":"error"')) ?? "null";
  expect(JSON.parse(error)).toMatchObject(place);

  project.write("pipeline.yaml", FILES["pipeline.yaml"].replace("tr a-z A-Z", "tr a-y A-Y"));
  expect(outcomes(await round(lq))).toEqual(["ran upper:a", "ran upper:b"]);
});

test("an edited or deleted output is a change; what lq writes is not", async () => {
  const project = cliProject(FILES);
  const lq = await watched(project);

  project.remove("upper/a.txt");
  const events = await round(lq);
  expect(changed(events)).toEqual(["upper/a.txt"]);
  expect(outcomes(events)).toEqual(["restored upper:a"]);
});

test("a change during a build cancels running tasks whose key it changes, and no others", async () => {
  const project = cliProject({
    "gated.ts": GATED,
    "params.yaml": "one: first\ntwo: second\n",
    "gates/none": "",
  });
  const rule = (name: string): string =>
    `  ${name}: { run: gated.ts, with: { gate: "${project.path(`gates/${name}`)}", text: "\${${name}}" }, out: ${name}.txt }\n`;
  project.write("pipeline.yaml", `version: 1\nparams: params.yaml\nrules:\n${rule("one")}${rule("two")}`);
  const lq = project.start("watch", "--json", "--slots", "cpu=2");
  await lq.line('"type":"progress"');
  await lq.line('"type":"progress"');

  project.write("params.yaml", "one: other\ntwo: second\n");
  await lq.line('"task":"one","outcome":"cancelled"');
  project.write("gates/two", "");
  await lq.line('"task":"two","outcome":"ran"');
  await lq.line('"state":"changed","paths":["params.yaml"]');
  project.write("gates/one", "");
  expect(outcomes(await round(lq))).toEqual(["ran one"]);
  expect([project.read("one.txt"), project.read("two.txt")]).toEqual(["other\n", "second\n"]);
});
