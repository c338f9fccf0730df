/** The status that README.md shows, in the whole demo: its real graph, with stand-ins for training and predicting. */
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { HOME } from "../helpers/bundle.ts";
import { cliProject } from "../helpers/cli.ts";
import { setParam } from "../study/tiny-study.ts";
import { blocksOf } from "./blocks.ts";

/** Writes its params, so that a changed param changes its output. */
const STAND_IN = `import { writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({ params, run: ({ params, output }) => writeFileSync(output(), JSON.stringify(params)) });
`;

const TINY = { size: [6, 6, 4], spacing: [5, 5, 8] };

test("README.md shows what lq status prints after an edit of the demo's params", async () => {
  const params = parseDocument(readFileSync(`${HOME}params.yaml`, "utf8"), { merge: true });
  const { sources } = params.toJS() as { sources: { [name: string]: { phantom: object } } };
  for (const [name, { phantom }] of Object.entries(sources))
    params.setIn(["sources", name, "phantom"], { ...phantom, ...TINY });
  const project = cliProject({
    "pipeline.yaml": readFileSync(`${HOME}pipeline.yaml`, "utf8"),
    "params.yaml": String(params),
  });
  cpSync(`${HOME}tasks`, project.path("tasks"), { recursive: true });
  for (const name of ["train", "predict"]) project.write(`tasks/${name}.ts`, STAND_IN);
  symlinkSync(`${HOME}node_modules`, project.path("node_modules"));

  const { text } = blocksOf("README.md").find(({ language }) => language === "console")!;
  const [prompt = "", ...shown] = text.trimEnd().split("\n");
  const [command, ...words] = prompt.replace("$ ", "").split(" ");
  expect(command).toBe("lq");
  expect(await project.lq("build", "predict-foundation")).toMatchObject({ code: 0, stderr: "" });
  setParam(project, "generators.stu-s.channels", 7);
  const { code, stdout } = await project.lq(...words);
  const escaped = shown.map((line) =>
    line.trim() === "…" ? "(.*\n)*" : `${line.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}\n`,
  );
  expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${escaped.join("")}$`))]);
});
