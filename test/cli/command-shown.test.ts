/** The command of a task is shown where it helps, and params in its text are explained as params. */
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const PIPELINE = `version: 1
params: params.yaml
rules:
  segment:
    cmd: "echo \${segment.threshold} \${name} > \${out}; test \${segment.threshold} -lt 200"
    with: { name: "\${segment.method}" }
    out: labels.txt
  list: { cmd: [sh, -c, 'echo "$1" > "$0"', "\${out}", "\${organs}"], with: { organs: "liver \${segment.method}" }, out: list.txt }
`;
const params = (threshold: number, method = "otsu") =>
  `segment: { threshold: ${threshold}, method: ${method} }\n`;

test("a changed param in a command is named as a param, in every view", async () => {
  const project = cliProject({ "pipeline.yaml": PIPELINE, "params.yaml": params(120) });
  await project.built();
  expect([project.read("labels.txt"), project.read("list.txt")]).toEqual(["120 otsu\n", "liver otsu\n"]);
  project.write("params.yaml", params(150));
  const change = "params segment.threshold: 120 → 150";
  expect((await project.lq("why", "segment")).stdout).toBe(
    `segment is stale\n  ${change}\n  command: echo 150 otsu > labels.txt; test 150 -lt 200\n`,
  );
  expect((await project.lq("status")).stdout).toContain(`stale: ${change} (segment)`);
  expect((await project.lq("plan")).stdout).toContain(change);
  await project.built();
  expect((await project.lq("diff", "segment")).stdout).toContain("segment.threshold: 120 → 150");
  const trace = (await project.lq("trace", "labels.txt")).stdout;
  expect(trace).toMatch(/param {3}segment\.threshold: 150\n/);
  expect(trace).toMatch(/param {3}segment\.method: otsu\n/);
  const history = (await project.lq("history", "segment", "--params")).stdout;
  expect(history).toContain("segment.threshold");
  expect(history).not.toContain("command");
});

test("a param that the command and with: have changes once; a changed text is named beside it", async () => {
  const project = cliProject({ "pipeline.yaml": PIPELINE, "params.yaml": params(120) });
  await project.built();
  project.write("params.yaml", params(120, "kmeans"));
  project.write("pipeline.yaml", PIPELINE.replace("-lt 200", "-lt 300"));
  expect((await project.lq("why", "segment")).stdout).toContain(
    "segment is stale\n" +
      "  command: …ment.threshold} -lt 200 → …ment.threshold} -lt 300\n" +
      "  params segment.method: otsu → kmeans\n",
  );
  expect((await project.lq("why", "list")).stdout).toMatch(
    /^list is stale\n {2}params organs: liver otsu → liver kmeans\n {2}command: sh -c/,
  );
});

test("a name under with: stands in a command; one that is also a param with another value is refused", async () => {
  const rule = (cmd: string, given: string): string =>
    `version: 1\nparams: params.yaml\nrules:\n  a: { each: { k: [x] }, cmd: "${cmd}", with: { ${given} }, out: "\${k}.txt" }\n`;
  const project = cliProject({ "params.yaml": "seed: 1\nmap: { x: { size: [4, 5] } }\n" });
  project.write(
    "pipeline.yaml",
    rule("echo ${box.size[1]} ${box.size.0} ${seed} > ${out}", 'box: "${map[k]}", seed: "${seed}"'),
  );
  await project.built();
  expect(project.read("x.txt")).toBe("5 4 1\n");
  project.write("pipeline.yaml", rule("echo ${seed} > ${out}", "seed: 5"));
  expect((await project.lq("build")).stderr).toMatch(
    /^pipeline\.yaml:4:\d+: error: "seed" is a param and also a name under "with", with another value/,
  );
  project.write("pipeline.yaml", rule("echo ${ouut} ${sizee} > ${out}", "size: 5"));
  const { stderr } = await project.lq("build");
  expect(stderr).toContain('did you mean "out"?');
  expect(stderr).toContain('did you mean "size"?');
});

test("a failure shows the command, what a progress bar left, no colours, and no log that is not there", async () => {
  const project = cliProject({
    "bar.sh": "printf '10%%\\r20%%\\r30%%\\n\\033[31;1mred\\033[0m\\n'; exit 3\n",
    "pipeline.yaml": `version: 1
rules:
  bar: { cmd: "sh bar.sh; touch \${out}", code: [bar.sh], out: o.txt }
  mute: { cmd: "touch \${out}; exit 4", out: p.txt }
`,
  });
  const { stdout } = await project.lq("build", "-k", "-j", "1", "--color", "never");
  expect(stdout).toContain(
    "failed bar: exit code 3\n  command: sh bar.sh; touch o.txt\n  | 30%\n  | red\n" +
      "  whole log: cache/logs/bar/bar.log\n",
  );
  expect(stdout).toContain("failed mute: exit code 4\n  command: touch p.txt; exit 4\n2 failed");
  const log = await project.lq("log", "bar");
  expect(log.stderr).toBe("bar: cache/logs/bar/bar.log\n  command: sh bar.sh; touch o.txt\n");
  expect(log.stdout).toBe("10%\r20%\r30%\nred\n");
  const [status] = await project.json("status", "mute");
  expect(status).toMatchObject({ task: "mute", state: "failed", command: "touch p.txt; exit 4" });
});

test("-v prints the commands of a build and of a dry run", async () => {
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  a: { cmd: "echo 1 > ${out}\\necho 2 >> ${out}", out: a.txt }\n',
  });
  const commands = "  command: echo 1 > a.txt\n           echo 2 >> a.txt\n";
  expect((await project.lq("build", "-n", "-v")).stdout).toContain(`would run a: never built\n${commands}`);
  expect((await project.lq("build", "-v")).stdout).toContain(`started a\n${commands}ran a (`);
});
