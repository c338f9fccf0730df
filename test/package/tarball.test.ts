/** The package that `npm pack` makes, installed in an empty folder as a user would: from the npm registry alone. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { writeNifti } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { testFolder } from "../helpers/folder.ts";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;
/** Where `npm install -g --prefix` put the package. */
let prefix: string;
let home: string;

beforeAll(() => {
  prefix = testFolder();
  home = join(prefix, "lib/node_modules/lq");
  const words = ["pack", "--json", "--pack-destination", prefix];
  const said = JSON.parse(execFileSync("npm", words, { cwd: HOME, encoding: "utf8" })) as
    readonly Packed[] | { readonly lq: Packed };
  packed = "lq" in said ? said.lq : said[0]!;
  // An install script of a package would run here, unlike in a clone.
  const install = ["install", "-g", "--prefix", prefix, "--ignore-scripts=false", "--prefer-offline"];
  const { status, stderr } = spawnSync("npm", [...install, join(prefix, packed.filename)], {
    cwd: prefix,
    encoding: "utf8",
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
});

function lq(cwd: string, ...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(join(prefix, "bin/lq"), words, { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("has what runs and what is read, and neither tests nor benches", () => {
  const tops = new Set(packed.files.map(({ path }) => path.split("/")[0]));
  expect([...tops].sort()).toEqual(
    ["CHANGELOG.md", "LICENSE", "README.md", "data", "dist", "docs", "examples", "lq", "package.json"]
      .concat(["params.yaml", "pipeline.yaml", "profiles", "python", "schema", "src", "tasks"])
      .sort(),
  );
});

test("starts, and compiles nothing", () => {
  expect(lq(prefix, "--version")).toMatchObject({ status: 0, stderr: "" });
});

test("builds a copy of an example with the modules of the package", async () => {
  const root = testFolder();
  cpSync(join(home, "examples/score"), root, { recursive: true });
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  for (const side of ["reference", "prediction"]) {
    mkdirSync(join(root, side));
    const data = Uint8Array.from({ length: 512 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const volume = { data, size: [8, 8, 8], spacing: [1, 1, 1], affine } as const;
    await writeNifti(join(root, side, "a.nii.gz"), volume);
  }
  expect(lq(root, "build")).toMatchObject({ status: 0 });
  expect(readdirSync(join(root, "tables")).sort()).toEqual(["cases.csv", "scores.csv", "scores.md"]);
});

test("says how to install the package that networks need, and runs with it", () => {
  const root = testFolder({
    "pipeline.yaml": "version: 1\nrules: { net: { run: net.ts, out: net.txt } }\n",
    "net.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
import { createSession } from "lq/tasks/study/nn/session.ts";
export default task({ run: ({ output }) => writeFileSync(output(), typeof createSession) });
`,
  });
  const refused = lq(root, "build");
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('there is no package "onnxruntime-node"');
  expect(refused.stderr).toContain("ONNXRUNTIME_NODE_INSTALL=skip npm install -g onnxruntime-node@");
  symlinkSync(join(HOME, "node_modules/onnxruntime-node"), join(home, "../onnxruntime-node"));
  expect(lq(root, "build")).toMatchObject({ status: 0 });
});
