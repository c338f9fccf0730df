/**
 * A project of three stages, train, score and table, with a params file and the provenance of each cell. Its content is what
 * tests of why, diff, trace, history, accept and the page ask about; everything else of a project comes from helpers/cli.
 */
import { expect } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";

export const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes:
  model: { keys: models }
rules:
  train:
    each: { model: model }
    cmd: "echo weights \${models[model].width} $(cat \${in}) > \${out}"
    in: "data/corpus.txt"
    out: "models/\${model}.txt"
    slots: { gpu: 1 }
  score:
    each: { model: model }
    run: score.ts
    with: { penalty: "\${penalty}" }
    in: "models/\${model}.txt"
    out: "scores/\${model}.json"
  table:
    run: table.ts
    in: { scores: scores/ }
    out: [table.md, table.cells.json]
`,
  "params.yaml": "penalty: 1\nmodels:\n  small: { width: 4 }\n  large: { width: 8 }\n",
  "score.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({
  params,
  run({ input, output, params }) {
    const width = Number(readFileSync(input(), "utf8").split(" ")[1]);
    writeFileSync(output(), JSON.stringify({ dice: width * 10 - params.penalty, name: "a" }));
  },
});
`,
  "table.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ files, outputs }) {
    const rows = files("scores").map(({ name, path }) => [name, JSON.parse(readFileSync(path, "utf8")).dice]);
    const [table, cells] = outputs();
    writeFileSync(table, rows.map(([name, dice]) => name + " | " + dice + "\\n").join(""));
    writeFileSync(cells, JSON.stringify({ format: 1, cells: rows.map(([name, dice]) => (
      { row: name.replace(".json", ""), metric: "Dice", mean: dice, from: [{ input: "scores", file: name }] })) }));
  },
});
`,
  "data/corpus.txt": "corpus\n",
};

export async function built(): Promise<CliProject> {
  const project = cliProject(FILES);
  await buildAll(project);
  return project;
}

export async function buildAll(project: CliProject): Promise<void> {
  expect((await project.build({ slots: "gpu=1" })).failed).toEqual([]);
}

/** Built again after a change of `models.small.width` from 4 to 6. */
export async function builtTwice(): Promise<CliProject> {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("width: 4", "width: 6"));
  await buildAll(project);
  return project;
}
