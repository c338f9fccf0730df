import { describe, expect, it } from "vitest";
import { status } from "../../src/plan/status.ts";
import type { Reason } from "../../src/model/freshness.ts";
import { Project } from "../helpers/project.ts";

const PIPELINE = `version: 1
rules:
  list:
    run: list.ts
    in: { folder: { names: src/ } }
    out: list.json
  each:
    each: { f: { in: list.json, at: "files[*]" } }
    cmd: "cp \${in} \${out}"
    in: "src/\${f}"
    out: "out/\${f}"
`;

const LIST = `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run: ({ names, output }) => writeFileSync(output(), JSON.stringify({ files: names("folder") })),
});
`;

function project(files: { readonly [path: string]: string } = {}): Project {
  return new Project({
    "pipeline.yaml": PIPELINE,
    "list.ts": LIST,
    "src/a": "1",
    "src/deep/b": "2",
    ...files,
  });
}

async function reasons(made: Project, id: string): Promise<readonly Reason[]> {
  const { freshness } = (await status(made.request())).find((each) => each.id === id) ?? {};
  return freshness !== undefined && "reasons" in freshness ? freshness.reasons : [];
}

describe("an input of names", () => {
  it("changes with the names of the files under a folder, not with their contents", async () => {
    const made = project();
    expect((await made.build()).ran).toEqual(["each:a", "each:deep/b", "list"]);
    expect(made.read("list.json")).toBe('{"files":["a","deep/b"]}');

    made.write("src/a", "3");
    expect((await made.build()).ran).toEqual(["each:a"]);

    made.write("src/deep/c", "4");
    made.remove("src/a");
    expect(await reasons(made, "list")).toEqual([
      { kind: "file", path: "src/deep/c", change: "added" },
      { kind: "file", path: "src/a", change: "removed" },
    ]);
    expect((await made.build()).ran).toEqual(["each:deep/c", "list"]);
    expect(made.has("out/a")).toBe(false);

    made.write("src/a", "3");
    made.remove("src/deep/c");
    const undone = await made.build();
    expect([undone.ran, undone.restored]).toEqual([[], ["each:a", "list"]]);
  });

  it("has the names of files that another task will make", async () => {
    const make = `
  make:
    cmd: "touch \${out}one; echo \${word} > \${out}two"
    out: src/made/`;
    const made = project({
      "pipeline.yaml": PIPELINE.replace("version: 1", "version: 1\nparams: p.yaml") + make,
      "p.yaml": "word: x",
    });
    expect((await made.build()).ran).toContain("make");
    expect(made.read("list.json")).toBe('{"files":["a","deep/b","made/one","made/two"]}');
    const other = await made.build({ set: ["word=y"] });
    expect(other.ran).toEqual(["each:made/two", "make"]);
    made.remove("src/made");
    const again = await made.build({ dryRun: true });
    expect([again.ran, again.restored]).toEqual([[], ["each:made/two", "make"]]);
  });

  it("refuses to give a module the files themselves", async () => {
    const made = project({ "list.ts": LIST.replaceAll("names", "input") });
    const { events } = await made.build({ targets: ["list"] });
    expect(events).toContainEqual(
      expect.objectContaining({
        task: "list",
        error: 'input "folder" declares only the names in a folder: read them with names("folder")',
      }),
    );
  });

  it("counts as absent when its folder is empty, and the error shows the rule's hint", async () => {
    const hinted = PIPELINE.replace(
      "{ names: src/ }",
      '{ names: "data/${set}/", hint: "put 3 files there, from ${from[set]}" }',
    )
      .replace("run: list.ts", "each: { set: [a, b, c] }\n    run: list.ts")
      .replace("out: list.json", 'out: "list/${set}.json"');
    const made = project({
      "pipeline.yaml": hinted.slice(0, hinted.indexOf("  each:\n")).replace("1\n", "1\nparams: p.yaml\n"),
      "p.yaml": "from: { a: Zenodo, b: Synapse, c: there }",
      "data/c/x": "",
    });
    made.write("data/b/x", "");
    made.remove("data/b/x");
    await expect(made.build()).rejects.toMatchObject({
      diagnostics: [
        {
          message: 'nothing makes "data/a/", which "list:a" reads, and it is not there',
          hint: "put 3 files there, from Zenodo",
        },
        {
          message: 'nothing makes "data/b/", which "list:b" reads, and it is empty',
          hint: "put 3 files there, from Synapse",
        },
      ],
    });
    expect(made.has("list/c.json")).toBe(false);
  });
});
