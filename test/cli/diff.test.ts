/** `lq diff`: how two runs differ. */
import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { cliProject } from "../helpers/cli.ts";
import { FILES, built, builtTwice } from "./table-project.ts";

test("diff goes from a table's changed lines down to the param that changed, with the values", async () => {
  const project = await builtTwice();
  const [found] = await project.json("diff", "table.md@1", "@2");
  expect(found).toMatchObject({
    task: "table",
    reasons: [
      {
        kind: "file",
        path: "scores/small.json",
        change: "changed",
        before: sha256('{"dice":39,"name":"a"}'),
      },
    ],
    outputs: [
      {
        path: "table.md",
        distance: {
          kind: "text",
          removed: ["small.json | 39"],
          added: ["small.json | 59"],
          numbers: { numbers: 1, of: 2, most: 20 },
        },
      },
      { path: "table.cells.json", distance: { kind: "json" } },
    ],
    from: [
      {
        task: "score:small",
        outputs: [{ distance: { kind: "json", numbers: 1, of: 1, most: 20, others: 0 } }],
        from: [{ task: "train:small", reasons: [{ kind: "param" }], from: [] }],
      },
    ],
  });
  // Without build numbers: the run before, and the present one.
  const { stdout } = await project.lq("diff", "scores/small.json");
  expect(stdout).toContain("score:small in build 1 → score:small now");
  expect(stdout).toContain("1 of 1 numbers differ, by at most 20");
});

test("diff of a param, of two tasks, of the same run, and of what is not on record", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 3"));
  await project.built("scores/");
  expect((await project.lq("diff", "score:large")).stdout).toContain("params penalty: 1 → 3");
  expect((await project.json("diff", "train:small", "train:large"))[0]).toMatchObject({
    same: false,
    ends: [
      { task: "train:small", build: null },
      { task: "train:large", build: null },
    ],
  });
  expect((await project.lq("diff", "train:small@1", "@2")).stdout).toContain("the same run");
  for (const [a, b, message] of [
    ["train:small@0", "@1", "no build 0 is on record"],
    ["train:small@1", "@9", "no build 9 is on record"],
    ["@1", "@2", '"@1" names no target'],
  ] as const) {
    const refused = await project.lq("diff", a, b);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(message)]);
  }
  expect((await project.lq("diff", "scores/")).code).toBe(2);
});

test("diff compares outputs by their names, even if the rule moved, added or removed outputs", async () => {
  const project = cliProject({});
  const outputs = [
    "a: out/a.txt, b: out/b.txt",
    "b: out/b.txt, c: out/c.txt, a: out/a.txt",
    "b: out/new.txt",
  ];
  for (const declared of outputs) {
    const files = [...declared.matchAll(/(\w): ([\w./]+)/g)].map(([, role, path]) => ({ role, path }));
    const cmd = files.map(({ role }) => `echo ${role} > \${out.${role}}`).join("; ");
    project.write("pipeline.yaml", `version: 1\nrules: { tell: { cmd: "${cmd}", out: { ${declared} } } }\n`);
    await project.built();
  }
  const outputsOf = async (...ends: string[]) => (await project.json("diff", ...ends))[0]?.outputs;
  expect(await outputsOf("tell@1", "@2")).toEqual([
    { path: "out/c.txt", distance: { kind: "only", side: "after" } },
  ]);
  expect(await outputsOf("tell@2", "@3")).toEqual([
    { path: "out/c.txt", distance: { kind: "only", side: "before" } },
    { path: "out/a.txt", distance: { kind: "only", side: "before" } },
  ]);
});

test("diff shows how far arrays differ, and which files only one side of a folder has", async () => {
  const npy = (...values: number[]) =>
    Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00\x46\x00", "latin1"),
      Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`.padEnd(70)),
      Buffer.from(Float32Array.from(values).buffer),
    ]);
  const safetensors = (tensors: { readonly [name: string]: readonly number[] }) => {
    let end = 0;
    const header = Object.entries(tensors).map(([name, { length }]) => {
      const data_offsets = [end, (end += 8 * length)];
      return [name, { dtype: "F64", shape: [length], data_offsets }];
    });
    const json = Buffer.from(
      JSON.stringify({ __metadata__: { a: "b" }, ...(Object.fromEntries(header) as object) }),
    );
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([
      length,
      json,
      Buffer.from(Float64Array.from(Object.values(tensors).flat()).buffer),
    ]);
  };
  const project = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  copy: { cmd: "cp -r ${in}. ${out}", in: from/, out: to/ }\n',
  });
  const put = (path: string, content: Buffer | string) => {
    mkdirSync(project.path("from"), { recursive: true });
    writeFileSync(project.path(`from/${path}`), content);
  };
  put("a.npy", npy(1, 2, NaN, 4));
  put("b.safetensors", safetensors({ w: [0.5, 0.25], b: [1] }));
  put("c.csv", "name,dice\nx,0.5 low\ny,0.75\n");
  put("d.npy", npy(1, 2));
  put("gone.txt", "");
  await project.built();
  put("a.npy", npy(1, 2.5, NaN, 4));
  put("b.safetensors", safetensors({ w: [0.5, 1.25], c: [1] }));
  put("c.csv", "name,dice\nx,0.625 high\ny,0.75\n");
  put("d.npy", npy(1, 2, 3));
  project.remove("from/gone.txt");
  await project.built();
  const { stdout } = await project.lq("diff", "to/@1", "@2");
  expect(stdout.split("\n").filter((line) => line.includes("output"))).toEqual([
    "  output to/a.npy: 1 of 4 numbers differ, by at most 0.5",
    "  output to/b.safetensors: 1 of 2 numbers differ, by at most 1; 2 arrays differ",
    "  output to/c.csv: 1 line removed, 1 added; 1 of 2 numbers differ, by at most 0.125",
    "  output to/d.npy: 0 of 0 numbers differ, by at most 0; 1 array differs",
    "  output to/gone.txt: only before",
  ]);
});
