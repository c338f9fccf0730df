import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { status } from "../../src/plan/status.ts";
import { Project } from "../helpers/project.ts";

afterEach(() => vi.unstubAllEnvs());

/** `list` lists the names in src/; `half` takes every second name; `copy` has a task for each of these. */
const PIPELINE = `version: 1
params: params.yaml
rules:
  list:
    run: list.ts
    shape: true
    in: { folder: { names: src/ } }
    with: { but: "\${but}" }
    out: list.json
  half:
    run: half.ts
    shape: true
    in: list.json
    with: { from: "\${from}" }
    out: half/
  copy:
    each: { f: { in: half/names.json, at: "names[*]" } }
    cmd: "cp \${in} \${out}"
    in: "src/\${f}"
    out: "out/\${f}"
  join:
    cmd: "cat \${in}* > \${out}"
    in: out/
    out: all
default: all
`;

const MODULE = (body: string) => `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
export default task({
  params: z.object({ but: z.string().optional(), from: z.int().optional() }),
  run({ input, names, output, params }) {
    ${body}
  },
});
`;

function project(): Project {
  return new Project({
    "pipeline.yaml": PIPELINE,
    "params.yaml": "but: x\nfrom: 0\n",
    "list.ts": MODULE(`
    if (params.but === "all") throw new Error("nothing is left");
    writeFileSync(output(), JSON.stringify(names("folder").filter((name) => name !== params.but)));`),
    "half.ts": MODULE(`
    const all = JSON.parse(readFileSync(input(), "utf8"));
    writeFileSync(output() + "names.json", JSON.stringify({ names: all.filter((_, i) => i % 2 === params.from) }));`),
    ...Object.fromEntries(["a", "b", "c", "d"].map((name) => [`src/${name}`, `${name}\n`])),
  }).withPackages();
}

function filesOf(made: Project): string[] {
  return readdirSync(made.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(made.path("cache/code")))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

describe("a dry run", () => {
  it("knows the whole graph before anything is built, and leaves no trace", async () => {
    const made = project();
    const before = filesOf(made);
    const dry = await made.build({ dryRun: true });
    expect(dry.ran).toEqual(["copy:a", "copy:c", "half", "join", "list"]);
    expect(filesOf(made)).toEqual(before);
    expect((await made.build()).ran).toEqual(dry.ran);
  });

  it("follows a change of the graph's shape to tasks that are missing or restorable", async () => {
    const made = project();
    await made.build();
    await made.build({ set: ["from=1"] });
    made.write("src/aa", "aa\n");
    const set = ["from=1"];
    const states = Object.fromEntries(
      (await status(made.request({ set }))).map(({ id, freshness }) => [id, freshness.state]),
    );
    // The names are a, aa, b, c, d; `half` takes the second and the fourth: aa, and c, which is in the cache.
    expect(states).toEqual({
      list: "stale",
      half: "stale",
      "copy:aa": "missing",
      "copy:c": "restorable",
      join: "pending",
    });
    const dry = await made.build({ dryRun: true, set });
    const built = await made.build({ set });
    expect([built.ran, built.restored]).toEqual([dry.ran, dry.restored]);
    expect(made.read("all")).toBe("aa\nc\n");
  });

  it("stops behind a trial run whose output has not changed", async () => {
    const made = project();
    await made.build();
    made.write("src/x", "left out");
    const dry = await made.build({ dryRun: true });
    expect([dry.ran, dry.summary.fresh]).toEqual([["list"], 4]);
    expect((await made.build()).ran).toEqual(["list"]);
  });

  it("reports a trial run that fails", async () => {
    const made = project();
    const { failed, events } = await made.build({ dryRun: true, set: ["but=all"] });
    expect(failed).toEqual(["list"]);
    expect(events).toContainEqual(expect.objectContaining({ task: "list", error: "nothing is left" }));
  });

  it("names the folder where it cannot create a temporary folder for trial runs", async () => {
    const made = project();
    vi.stubEnv("TMPDIR", made.path("none"));
    await expect(status(made.request())).rejects.toThrow(
      `no temporary folder can be made in ${made.path("none")} (ENOENT)`,
    );
    expect((await made.build()).failed).toEqual([]);
  });
});
