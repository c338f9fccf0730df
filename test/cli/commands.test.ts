/** How commands are handed to bash: long ones, pipes, exported functions, and the variables that they get. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject } from "../helpers/cli.ts";

/** More text than Linux passes in one argument (128 KiB). */
const PADDING = "x".repeat(140_000);

test("a command of any length runs as text, also with set-up text before it", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  long: { cmd: "echo $0 $- > \${out} # ${PADDING}", out: long.txt }
  setup: { cmd: "word > \${out} # ${PADDING}", out: setup.txt, environment: { setup: "word() { echo hello; }" } }
`,
  });
  const { code, stdout } = await project.lq("build");
  expect([code, stdout]).toEqual([0, expect.stringContaining("2 ran")]);
  expect(project.read("long.txt")).toMatch(/command\.sh \S*e\S*\n$/);
  expect(project.read("setup.txt")).toBe("hello\n");
});

test("thousands of paths fit into a text; a list that cannot start is refused before anything runs", async () => {
  const names = Array.from({ length: 2000 }, (_, i) => `${"n".repeat(90)}${i}`);
  const project = cliProject({
    "params.yaml": `files: [${names.join(", ")}]\n`,
    "pipeline.yaml": `version: 1
params: params.yaml
rules:
  text: { cmd: "cat \${in} > \${out}", in: "in/\${files}.txt", out: text.txt }
  list: { cmd: [sh, -c, 'cat "$@" > "$0"', "\${out}", "\${in}"], in: "in/\${files}.txt", out: list.txt }
  sum: { cmd: [sh, -c, ": $1 > $0", "\${out}", "a=\${in}"], in: "in/\${files}.txt", out: sum.txt }
  first: { cmd: "echo 1 > \${out}", out: first.txt }
`,
  });
  for (const name of names) project.write(`in/${name}.txt`, `${name}\n`);
  expect((await project.lq("build", "text", "list")).stdout).toContain("2 ran");
  const all = names.map((name) => `${name}\n`).join("");
  expect(project.read("text.txt")).toBe(all);
  expect(project.read("list.txt")).toBe(all);
  const refused = await project.lq("build", "sum", "first");
  expect([refused.code, project.has("first.txt")]).toEqual([2, false]);
  expect(refused.stderr).toMatch(
    /^pipeline\.yaml:6:15: error: sum cannot start: an argument of the command has 2\d{5} bytes/,
  );
  const dry = await project.lq("build", "-n", "sum");
  expect(dry.stdout).toContain("lq build would refuse: sum cannot start: an argument");
});

test("a program that bash starts with too many arguments fails with a hint", async () => {
  const names = Array.from({ length: 1000 }, (_, i) => `${"n".repeat(240)}${i}`);
  const project = cliProject({
    "pipeline.yaml": `version: 1
params: params.yaml
rules:
  a: { cmd: "/bin/echo${" ${in}".repeat(10)} > \${out}", in: "in/\${files}", out: a.txt }
`,
    "params.yaml": `files: [${names.join(", ")}]\n`,
  });
  for (const name of names) project.write(`in/${name}`, "");
  const { code, stdout } = await project.lq("build");
  const hint = expect.stringMatching(
    /exit code 126\n {2}hint: the system passes at most \d+ bytes/,
  ) as string;
  expect([code, stdout]).toEqual([1, hint]);
});

test("a tool whose output is cut off by head counts; of one that fails the status is named", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  cut: { cmd: "echo 1 > \${out}", out: cut.txt, tools: ["seq 1000000 | head -n 1; echo more"] }
  gone: { cmd: "echo 1 > \${out}", out: gone.txt, tools: ["no-such-tool --version | head -n 1"] }
  bad: { cmd: "echo 1 > \${out}", out: bad.txt, tools: ["echo 1.0; (exit 3); echo never"] }
`,
  });
  expect((await project.lq("build", "cut")).stdout).toContain("1 ran");
  project.write("pipeline.yaml", project.read("pipeline.yaml").replace("echo more", "echo other"));
  expect((await project.lq("why", "cut")).stdout).toContain("echo other: (none) → 1 other");
  expect((await project.lq("build", "gone")).stderr).toMatch(
    /head -n 1" failed with exit code 127: .*no-such-tool/,
  );
  expect((await project.lq("build", "bad")).stderr).toContain("failed with exit code 3: 1.0\n");
});

test("a command that is ended by a closed pipe says so", async () => {
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  a: { cmd: "seq 1000000 | head -n 1 > ${out}", out: a.txt }\n',
  });
  const { stdout } = await project.lq("build");
  expect(stdout).toMatch(/failed a: ended by SIGPIPE\n {2}hint: .* \|\| true; } \| head/);
});

test("exported functions and the user's variables reach commands through the script lq", () => {
  const project = cliProject({
    "pipeline.yaml":
      'version: 1\nrules:\n  a: { cmd: "greet $OMP_NUM_THREADS $MKL_NUM_THREADS > ${out}", out: a.txt, slots: { cpu: 2 } }\n',
  });
  const script = `greet() { echo hello "$@"; }; export -f greet; OMP_NUM_THREADS=1 exec ${HOME}lq build --slots cpu=2`;
  const { status } = spawnSync("bash", ["-c", script], { cwd: project.root, encoding: "utf8" });
  expect([status, project.read("a.txt")]).toEqual([0, "hello 1 2\n"]);
});
