/** Names, values and the output of tasks cannot control the terminal. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject } from "../helpers/cli.ts";

/** Every character that a terminal might obey, except line ends and lq's own colours. */
const OBEYED = /[\0-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]|\x1b(?!\[(?:[0-2]|3[1236])m)/;

test("every view shows control characters in names, params and output as symbols", async () => {
  const name = "a\x1b]0;title\x07\x1b[8mhidden\u202e\nx";
  const project = cliProject({
    [`src/${name}.txt`]: "1\n",
    "params.yaml": 'text: "\\e[2Jone\\u009b5m"\n',
    "pipeline.yaml": `version: 1
params: params.yaml
axes: { name: { glob: "src/*.txt" } }
rules:
  copy: { each: [name], cmd: "cp \${in} \${out}; echo \${text} >> \${out}; cat \${out}; \${end}", in: "src/\${name}.txt", out: "out/\${name}.txt" }
  all: { cmd: "cat \${in}* > \${out}", in: out/, out: all.txt }
`.replace("${end}", "test ! -e fail"),
  });
  const shown = (...words: string[]): string => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [`${HOME}dist/cli.cjs`, ...words, "--color", "always"],
      {
        cwd: project.root,
        encoding: "utf8",
      },
    );
    const text = stdout + stderr;
    expect([words, OBEYED.exec(text)]).toEqual([words, null]);
    return text;
  };
  expect(shown("build")).toContain("ran copy:a␛]0;title␇␛[8mhidden�␊x");
  project.write("params.yaml", 'text: "\\e[2Jtwo\\r"\n');
  expect(shown("status")).toContain("␛[2Jone�5m");
  shown("why", "all");
  shown("plan");
  shown("build");
  expect(shown("history", "copy")).toContain("hidden�␊x");
  expect(shown("report")).toContain("hidden�␊x");
  for (const format of ["dot", "mermaid"]) expect(shown("graph", "--format", format)).toContain("hidden�␊x");
  expect((await project.lq("complete", "--", "build", "out/")).stdout).toBe("");
  expect(shown("diff", "all.txt")).toContain("+ ␛[2Jtwo␍");
  shown("trace", "all.txt");
  shown("clean", "-n");
  project.write("fail", "");
  expect(shown("build", "-f")).toContain("␛[2Jtwo\n");
  expect(shown("build", `none${name}`)).toContain("none");
});
