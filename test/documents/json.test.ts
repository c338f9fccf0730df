/** The fields of JSON that docs/reference/json.md lists: each line that a command prints has no others. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

const FILES = {
  "params.yaml": "threshold: 1\n",
  "pipeline.yaml": `version: 1
params: params.yaml
rules:
  mask:
    each: { case: { glob: "images/*.txt" } }
    cmd: 'echo \${threshold} $(cat \${in}) | tee \${out}; echo "{\\"step\\": 1, \\"loss\\": 2}" >> "$LQ_METRICS"'
    in: "images/\${case}.txt"
    out: "masks/\${case}.txt"
    lock: true
  list: { cmd: "echo '[1, 2]' > \${out}", in: masks/, out: list.json }
  part:
    each: { part: { in: list.json, at: "[*]" } }
    cmd: "echo \${part} > \${out}"
    out: "parts/\${part}.txt"
  bad: { cmd: "echo no; exit 1; : > \${out}", out: bad.txt, retries: 1 }
`,
  "images/a.txt": "a\n",
  "images/b.txt": "b\n",
};

/** Rows of the page's tables, by the names in backquotes in their first two cells. */
const rows = readFileSync(`${HOME}docs/reference/json.md`, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|"));

function documented(type: string): string {
  return rows.filter((row) => row.split("|").slice(1, 3).join("").includes(`\`${type}\``)).join("\n");
}

let project: CliProject;

beforeAll(async () => {
  project = cliProject(FILES);
  await project.lq("build", "parts/", "masks/");
  await project.lq("build", "parts/", "masks/", "--set", "threshold=2");
});

test.each([
  ["build -k -f", ["plan", "start", "metrics", "retry", "task", "summary"]],
  ["build nothing-of-this-name", ["error"]],
  ["status", ["status"]],
  ["status part --set threshold=3", ["status"]],
  ["why list.json", ["why"]],
  ["plan -f", ["forecast"]],
  ["history", ["build"]],
  ["history masks/a.txt", ["run"]],
  ["history masks/a.txt --params", ["run"]],
  ["report", ["report"]],
  ["diff masks/a.txt", ["diff"]],
  ["trace list.json", ["trace"]],
  ["cache stats", ["stats"]],
  ["cache verify", ["verify"]],
  ["cache gc -n --keep-days 1", ["gc"]],
  ["lock check", ["lock"]],
  ["lock pull", ["lock"]],
  ["graph", ["graph"]],
  ["log masks/a.txt", ["log"]],
  ["accept list.json", ["plan", "summary"]],
  ["clean -n", ["clean"]],
])("lq %s --json", async (words, types) => {
  const lines = await project.json(...words.split(" "));
  expect(lines.map(({ type }) => type)).toEqual(expect.arrayContaining(types));
  const unknown = lines.flatMap(({ type, ...fields }) => {
    const row = documented(type);
    return Object.keys(fields)
      .filter((name) => !row.includes(`\`${name}\``))
      .map((name) => `${type}: ${name}`);
  });
  expect([...new Set(unknown)]).toEqual([]);
});
