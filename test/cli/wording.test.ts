/** What lq says is true, names what is meant, and says what to do. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const rule = (body: string): string =>
  `version: 1\nparams: params.yaml\nrules:\n  a: { ${body}, out: o.txt }\n`;
const ECHO = rule('cmd: "echo ${x} > ${out}"');

/** @returns what lq build prints on stderr and stdout */
async function built(files: { readonly [path: string]: string }, ...words: string[]): Promise<string> {
  const { stdout, stderr } = await cliProject({ "params.yaml": "x: 12\n", ...files }).lq("build", ...words);
  return stderr + stdout;
}

test("YAML: tagged text, a second document, a byte order mark in JSON", async () => {
  const tagged = cliProject({ "pipeline.yaml": ECHO, "params.yaml": "x: !!str 12345678901234567890\n" });
  await tagged.built();
  expect(tagged.read("o.txt")).toBe("12345678901234567890\n");
  expect(await built({ "pipeline.yaml": ECHO, "params.yaml": "x: 12\n---\nx: 13\n" })).toMatch(
    /^params\.yaml:2:1: error: a second document begins here, and lq reads one\n/,
  );
  const cases =
    'version: 1\nrules:\n  a: { each: { c: { in: ids.json, at: ids } }, cmd: "echo > ${out}", out: "o/${c}" }\n';
  expect(await built({ "pipeline.yaml": cases, "ids.json": '\ufeff{"ids":["k"]}' })).toContain("ran a:k");
});

test("an output of another kind, and profiles in folders", async () => {
  expect(await built({ "pipeline.yaml": rule('cmd: "mkfifo ${out}"') })).toContain(
    'failed a: its output "o.txt" is a named pipe, not a file',
  );
  const project = cliProject({
    "pipeline.yaml": ECHO,
    "params.yaml": "x: 12\n",
    "profiles/sub/g.yaml": "x: 13\n",
  });
  expect((await project.lq("build", "--profile", "sub/g")).code).toBe(0);
  expect(project.read("o.txt")).toBe("13\n");
  for (const name of ["../x", "sub/../sub/g", "/etc/x", "sub//g"])
    expect((await project.lq("build", "--profile", name)).stderr).toContain(`unknown profile "${name}"`);
  expect((await project.lq("build", "--profile", "sub/f")).stderr).toContain('did you mean "sub/g"?');
});

test("a missing input names a file beside it, also one that only looks the same", async () => {
  const reads = (path: string): string => rule(`cmd: "cat \${in} > \${out}", in: "${path}"`);
  expect(await built({ "pipeline.yaml": reads("src/nme.txt"), "src/name.txt": "" })).toContain(
    'hint: did you mean "src/name.txt"?',
  );
  expect(await built({ "pipeline.yaml": reads("caf\u00e9.txt"), "cafe\u0301.txt": "" })).toContain(
    'hint: "cafe\u0301.txt" is there, which looks the same and is written with other Unicode characters (NFD, not NFC)',
  );
});

test("a target in place of a command, slots that no rule has, a command under run", async () => {
  const project = cliProject({
    "pipeline.yaml": rule('cmd: "echo > ${out}", slots: { licence: 1 }'),
    "params.yaml": "",
  });
  expect((await project.lq("o.txt")).stderr).toBe(
    "error: unknown command 'o.txt'\n  hint: to build a target, write lq build o.txt\n",
  );
  const slots = await project.lq("build", "--slots", "gpus=2");
  expect(slots).toMatchObject({
    code: 2,
    stderr: 'error: --slots: no rule has slots of "gpus"\n  hint: did you mean "gpu"?\n',
  });
  expect((await project.lq("build", "--slots", "licence=0")).stderr).toContain(
    'it asks for 1 of "licence" and there are 0',
  );
  expect(await built({ "pipeline.yaml": rule("run: seg.py"), "seg.py": "" })).toContain(
    'hint: write script: seg.py, or a command: cmd: "… seg.py …"',
  );
  expect(await built({ "pipeline.yaml": rule('run: "./seg --fast"') })).toContain(
    'hint: write cmd: "./seg --fast"',
  );
});

test("slots with a wrong name are refused also when all is fresh", async () => {
  const project = cliProject({ "pipeline.yaml": ECHO, "params.yaml": "x: 1\n" });
  await project.lq("build");
  execFileSync("touch", ["-d", "2001-01-01", project.path("params.yaml")]);
  await project.lq("build");
  expect((await project.lq("build", "--slots", "gpus=2")).code).toBe(2);
});

test("lq graph draws arrows from the rule whose file says what tasks there are", async () => {
  const project = cliProject({
    "params.yaml": "",
    "pipeline.yaml": `version: 1
rules:
  split: { cmd: 'echo "{\\"cases\\":[\\"k1\\",\\"k2\\"]}" > \${out}', out: split.json }
  score: { each: { c: { in: split.json, at: cases } }, cmd: "echo > \${out}", out: "scores/\${c}" }
`,
  });
  await project.built();
  const edges = [
    { from: "n0", to: "n1" },
    { from: "n0", to: "n2" },
  ];
  const text = (await project.lq("graph")).stdout;
  for (const { from, to } of edges) expect(text).toContain(`${from} --> ${to}`);
  expect(text).toMatch(/n0\["split"\]/);
});
