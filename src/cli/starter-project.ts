/** The files of the project that `lq init` writes: measure each case, then collect the numbers in a table. */

export type Language = "python" | "typescript";

/**
 * @param schema where pipeline.schema.json is, as an editor finds it from the project
 * @param version of lq
 * @returns content by path
 */
export function starterFiles(
  language: Language,
  schema: string,
  version: string,
): { readonly [path: string]: string } {
  return {
    "pipeline.yaml": `# yaml-language-server: $schema=${schema}\n${PIPELINES[language]}`,
    ...CODE[language],
    "cases/a.txt": "12 40 35\n",
    "cases/b.txt": "7 51 33 20\n",
    ".gitignore": "/cache/\n/measures/\n/table.csv\n__pycache__/\nnode_modules/\n",
    ".github/workflows/lq.yml": workflow(version),
  };
}

const PIPELINES: { readonly [language in Language]: string } = {
  python: `version: 1
params: params.yaml
default: table.csv

axes:
  case: { glob: "cases/*.txt" }

rules:
  measure: # one task for each case
    each: { case: case }
    script: measure.py # what it imports counts too; comments and formatting do not
    with: { threshold: "\${threshold}" }
    in: { case: "cases/\${case}.txt" }
    out: "measures/\${case}.json"

  collect:
    script: collect.py
    in: measures/
    out: table.csv
`,
  typescript: `version: 1
default: table.csv

axes:
  case: { glob: "cases/*.txt" }

rules:
  measure: # one task for each case
    each: { case: case }
    run: measure.ts # what it imports counts too; comments and formatting do not
    in: { case: "cases/\${case}.txt" }
    out: "measures/\${case}.json"

  collect:
    run: collect.ts
    in: measures/
    out: table.csv
`,
};

const CODE: { readonly [language in Language]: { readonly [path: string]: string } } = {
  python: {
    "params.yaml": "threshold: 10\n",
    "measure.py": `"""Measures the values of a case that are above the threshold."""
import json

from lq import task

with open(task.input("case")) as file:
    values = [float(word) for word in file.read().split()]
above = [value for value in values if value > task.params["threshold"]]
with open(task.output(), "w") as file:
    json.dump({"values": len(above), "mean": sum(above) / len(above) if above else 0.0}, file)
`,
    "collect.py": `"""Collects the measures of all cases in a table."""
import json
import os

from lq import task

with open(task.output(), "w") as table:
    table.write("case,values,mean\\n")
    for name in sorted(os.listdir(task.input())):
        with open(os.path.join(task.input(), name)) as file:
            row = json.load(file)
        table.write(f"{name[:-5]},{row['values']},{row['mean']}\\n")
`,
  },
  typescript: {
    "measure.ts": `/** Measures the values of a case. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";

export default task({
  run({ input, output }) {
    const values = readFileSync(input("case"), "utf8").trim().split(/\\s+/).map(Number);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    writeFileSync(output(), JSON.stringify({ values: values.length, mean }));
  },
});
`,
    "collect.ts": `/** Collects the measures of all cases in a table. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";

interface Measures {
  readonly values: number;
  readonly mean: number;
}

export default task({
  run({ files, output }) {
    const rows = files().map(({ name, path }) => {
      const { values, mean } = JSON.parse(readFileSync(path, "utf8")) as Measures;
      return \`\${name.replace(/\\.json$/, "")},\${values},\${mean}\\n\`;
    });
    writeFileSync(output(), \`case,values,mean\\n\${rows.join("")}\`);
  },
});
`,
  },
};

function workflow(version: string): string {
  return `name: lq
on: [push, pull_request]
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with: { node-version: "22" }
      # Keep lq's package in the project. In a clone of lq, \`npm run package\` makes it.
      - run: npm install -g ./tools/lq-${version}.tgz
      - run: lq build
`;
}
