import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

function study(): CliProject {
  return cliProject({
    "pipeline.yaml": `version: 1
params: params.yaml
axes:
  model: { keys: models }
rules:
  predict:
    each: { model: model }
    cmd: "echo \${models[model].width} > \${out}"
    out: "labels/\${model}/1.txt"
  plot: { cmd: "touch \${out}", out: "figures/plot.svg" }
`,
    "params.yaml": "models:\n  small: { width: 4 }\n  large: { width: 8 }\n",
    "profiles/paper.yaml": "{}\n",
  });
}

const cases: [string[], string[]][] = [
  [["bu"], ["build"]],
  [
    ["build", "p"],
    ["predict", "plot"],
  ],
  [["build", "predict:s"], ["predict:small"]],
  [["build", "la"], ["labels/"]],
  [
    ["build", "labels/"],
    ["labels/small/", "labels/large/"],
  ],
  [["build", "labels/small/"], ["labels/small/1.txt"]],
  [["--json", "status", "fig"], ["figures/"]],
  [["-C", "elsewhere", "bui"], ["build"]],
  [["build", "--ke"], ["--keep-going"]],
  [["clean", "--ca"], ["--cache"]],
  [
    ["graph", "--format", ""],
    ["dot", "mermaid", "json"],
  ],
  [
    ["build", "--color", "a"],
    ["auto", "always"],
  ],
  [["build", "--profile", ""], ["paper"]],
  [["build", "--set", "models.small"], ["models.small.width="]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["nonsense", "x"], []],
];
test.each(cases)("%j can become %j", async (words, expected) => {
  const { code, stdout } = await study().lq("complete", "--", ...words);
  expect(stdout.split("\n").filter(Boolean)).toEqual(expected);
  expect(code).toBe(0);
});

test("a broken project completes commands, but no targets", async () => {
  const project = cliProject({ "pipeline.yaml": "version: [" });
  expect(await project.lq("complete", "--", "build", "")).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("in bash, candidates lack the part that readline keeps", () => {
  const complete = (line: string): string[] => {
    const script = `
      source <("${HOME}lq" completion bash)
      compopt() { :; }
      COMP_LINE=$1 COMP_POINT=\${#1}
      # As readline splits: at blanks, and at each of the characters : and =
      read -ra COMP_WORDS <<< "\${1//:/ : }"
      [[ $1 == *[[:blank:]:] ]] && COMP_WORDS+=("")
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      _lq; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync("bash", ["-c", script, "bash", line], {
      cwd: study().root,
      encoding: "utf8",
    });
    return stdout.split("\n").filter(Boolean);
  };
  expect(complete(`${HOME}lq bui`)).toEqual(["build"]);
  expect(complete(`${HOME}lq build predict:s`)).toEqual(["small"]);
  expect(complete(`${HOME}lq build predict:`)).toEqual(["small", "large"]);
  expect(complete(`${HOME}lq build labels/s`)).toEqual(["labels/small/"]);
});

test.for(["zsh", "fish"])("the script for %s has no syntax error", async (shell, { skip }) => {
  const { code, stdout } = await study().lq("completion", shell);
  expect(code).toBe(0);
  const checked = spawnSync(shell, ["-n", "/dev/stdin"], { input: stdout, encoding: "utf8" });
  skip(checked.error !== undefined, `there is no ${shell} here`);
  expect(checked.stderr).toBe("");
});
