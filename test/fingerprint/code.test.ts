import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describe, expect, it, vi } from "vitest";
import type { UserError } from "../../src/model/errors.ts";
import { sha256 } from "../../src/system/digest.ts";
import { analyse } from "../../src/fingerprint/analyse.ts";
import { CodeClosures, type Closure, type NoteMemo } from "../../src/fingerprint/code.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

class Notes implements NoteMemo {
  readonly notes = new Map<string, string>();
  note(name: string): string | undefined {
    return this.notes.get(name);
  }
  rememberNote(name: string, json: string): void {
    this.notes.set(name, json);
  }
}

const MODULE = `import { task } from "lq";
import { twice } from "./lib/twice.ts";
import type { Shape } from "./lib/shape.ts";
import table from "./table.json";
import labels from "./labels.yaml";
/** Doubles. */
export default task({
  run({ log }) {
    const shape: Shape = { size: twice(table.n) };
    log(String(shape.size) + labels);
  },
});
`;

const FILES = {
  "tasks/x.ts": MODULE,
  "tasks/lib/twice.ts": `export const twice = (n: number): number => 2 * n;\n`,
  "tasks/lib/shape.ts": `export interface Shape { size: number }\n`,
  "tasks/table.json": `{ "n": 4, "m": 5 }`,
  "tasks/labels.yaml": "liver: 1\n",
};

function closure(root: string, module = "tasks/x.ts"): Promise<Closure> {
  return new CodeClosures(root, new Notes()).closure(module);
}

/** Edits a file. @returns paths of the files whose digest in the closure changes */
async function changedBy(path: string, text: string): Promise<string[]> {
  const root = testFolder(FILES);
  const before = await closure(root);
  writeFile(root, path, text);
  const after = await closure(root);
  const changed = after.files.filter(
    (file) => before.files.find((each) => each.path === file.path)?.digest !== file.digest,
  );
  expect(after.digest === before.digest).toBe(
    changed.length === 0 && after.files.length === before.files.length,
  );
  return changed.map((file) => file.path);
}

describe("a closure", () => {
  it("holds the module and all code and data that it imports, without types and without lq", async () => {
    const { files, packages } = await closure(testFolder(FILES));
    expect(files.map((file) => file.path)).toEqual([
      "tasks/labels.yaml",
      "tasks/lib/twice.ts",
      "tasks/table.json",
      "tasks/x.ts",
    ]);
    expect(packages).toEqual([]);
  });

  it("does not change with comments, formatting, types or the order of keys in data", async () => {
    expect(
      await changedBy(
        "tasks/lib/twice.ts",
        `// why\nexport const twice = (\n  n: number,\n) => 2 * n; /* so */`,
      ),
    ).toEqual([]);
    expect(
      await changedBy("tasks/lib/shape.ts", `export interface Shape { size: number; name?: string }`),
    ).toEqual([]);
    expect(
      await changedBy("tasks/x.ts", MODULE.replace("Doubles", "Doubles it").replaceAll("  ", "\t")),
    ).toEqual([]);
    expect(await changedBy("tasks/table.json", `{"m":5,\n "n":4}`)).toEqual([]);
  });

  it("changes with code and data, naming the file", async () => {
    expect(await changedBy("tasks/lib/twice.ts", `export const twice = (n: number) => 3 * n;`)).toEqual([
      "tasks/lib/twice.ts",
    ]);
    expect(await changedBy("tasks/lib/twice.ts", `export const twice = (x: number) => 2 * x;`)).toEqual([
      "tasks/lib/twice.ts",
    ]);
    expect(await changedBy("tasks/table.json", `{ "n": 5, "m": 5 }`)).toEqual(["tasks/table.json"]);
    expect(await changedBy("tasks/labels.yaml", "liver: 2\n")).toEqual(["tasks/labels.yaml"]);
  });

  it("has the versions of the packages used, not their code", async () => {
    const root = testFolder({
      "tasks/x.ts": `import { f } from "somepkg/deep"; import "@scope/other"; import fs from "node:fs"; export default f(fs);`,
      "node_modules/somepkg/package.json": `{"name":"somepkg","version":"1.2.3","exports":{"./deep":{"require":"./deep.cjs","import":"./lib/deep.js"}}}`,
      "node_modules/somepkg/lib/package.json": `{"type":"module"}`,
      "node_modules/somepkg/lib/deep.js": `export const f = (x) => x;`,
      "node_modules/@scope/other/package.json": `{"name":"@scope/other","version":"0.1.0","main":"index.js"}`,
      "node_modules/@scope/other/index.js": ``,
    });
    const before = await closure(root);
    expect(before.files.map((file) => file.path)).toEqual(["tasks/x.ts"]);
    expect(before.packages).toEqual([
      { name: "@scope/other", version: "0.1.0" },
      { name: "somepkg", version: "1.2.3" },
    ]);
    writeFile(root, "node_modules/somepkg/lib/deep.js", `export const f = (x) => [x];`);
    expect((await closure(root)).digest).toBe(before.digest);
    writeFile(
      root,
      "node_modules/@scope/other/package.json",
      `{"name":"@scope/other","version":"0.2.0","main":"index.js"}`,
    );
    expect((await closure(root)).digest).not.toBe(before.digest);
  });

  it("has the code of a package that is a link to another folder of the project", async () => {
    const root = testFolder({
      "tasks/x.ts": `import { f } from "mine"; export default f;`,
      "packages/mine/package.json": `{"name":"mine","version":"1.0.0","main":"index.ts"}`,
      "packages/mine/index.ts": `export const f = 1;`,
    });
    mkdirSync(join(root, "node_modules"));
    symlinkSync("../packages/mine", join(root, "node_modules/mine"));
    expect((await closure(root)).files.map((file) => file.path)).toEqual([
      "packages/mine/index.ts",
      "tasks/x.ts",
    ]);
  });

  it("has the code of threads", async () => {
    const files = {
      "tasks/x.ts": `import url from "./lib/thread.ts?thread"; export default url;`,
      "tasks/lib/thread.ts": `import { twice } from "./twice.ts"; console.log(twice(1));`,
      "tasks/lib/twice.ts": FILES["tasks/lib/twice.ts"],
    };
    const root = testFolder(files);
    const before = await closure(root);
    expect(before.files.map((file) => file.path)).toEqual([
      "tasks/lib/thread.ts",
      "tasks/lib/twice.ts",
      "tasks/x.ts",
    ]);
    writeFile(root, "tasks/lib/twice.ts", `export const twice = (n: number) => 3 * n;`);
    expect((await closure(root)).digest).not.toBe(before.digest);
  });

  it("has the version of a package when a module reads one of its files", async () => {
    const root = testFolder({
      "tasks/x.ts": `import font from "letters/a.ttf?file"; export default font;`,
      "node_modules/letters/package.json": `{"name":"letters","version":"1.2.3"}`,
      "node_modules/letters/a.ttf": "",
    });
    const { closure, bundle } = await analyse(root, "tasks/x.ts", join(root, "x.mjs"));
    expect(closure.packages).toEqual([{ name: "letters", version: "1.2.3" }]);
    expect(bundle).toContain(`"${join(root, "node_modules/letters/a.ttf")}"`);
  });

  it("finds modules that come with lq from any folder, and names them lq:", async () => {
    const root = testFolder({ "tasks/x.ts": `import "lq/src/model/errors.ts"; export default 1;` });
    expect((await closure(root)).files.map((file) => file.path)).toEqual([
      "lq:src/model/errors.ts",
      "tasks/x.ts",
    ]);
    const own = await closure(root, "lq:src/fingerprint/canonical.ts");
    expect(own.files.map((file) => file.path)).toEqual(["lq:src/fingerprint/canonical.ts"]);
  });
});

/** Makes a closure as a build does that runs 5 s after the last edit, and so remembers it. */
async function remembered(root: string, notes: Notes): Promise<Closure> {
  const clock = vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + 5000);
  const found = await new CodeClosures(root, notes).closure("tasks/x.ts");
  clock.mockRestore();
  return found;
}

describe("a remembered closure", () => {
  it("is used until one of its files is touched, or a new file may take the place of one", async () => {
    const root = testFolder(FILES);
    const notes = new Notes();
    const first = await remembered(root, notes);
    const [name, json] = [...notes.notes][0]!;
    const marked = () => notes.notes.set(name, json.replace(first.digest, "f".repeat(64)));
    marked();
    const again = () => new CodeClosures(root, notes).closure("tasks/x.ts").then((each) => each.digest);
    expect(await again()).toBe("f".repeat(64));
    writeFile(root, "tasks/lib/another.ts", "");
    expect(await again()).toBe(first.digest);
    marked();
    writeFile(root, "tasks/lib/twice.ts", FILES["tasks/lib/twice.ts"]);
    expect(await again()).toBe(first.digest);
  });

  it("is not kept when a file changed in the same clock tick as it was read", async () => {
    const root = testFolder(FILES);
    const notes = new Notes();
    const { ctimeMs } = statSync(join(root, "tasks/x.ts"));
    const clock = vi.spyOn(Date, "now").mockReturnValue(ctimeMs);
    await new CodeClosures(root, notes).closure("tasks/x.ts");
    clock.mockRestore();
    expect(notes.notes.size).toBe(0);
  });

  it("counts as absent when it is damaged", async () => {
    const root = testFolder(FILES);
    const notes = new Notes();
    await remembered(root, notes);
    for (const name of notes.notes.keys()) notes.rememberNote(name, `{"version":3,"closure":[]}`);
    expect((await new CodeClosures(root, notes).closure("tasks/x.ts")).files).toHaveLength(4);
  });
});

describe("errors in a module", () => {
  async function errors(text: string): Promise<readonly string[]> {
    const root = testFolder({ "tasks/x.ts": text });
    const error = await closure(root).then(
      () => expect.fail("no error"),
      (reason: unknown) => reason as UserError,
    );
    expect(error.name).toBe("UserError");
    return error.diagnostics.map(({ message, span }) => {
      expect(span?.file).toBe("tasks/x.ts");
      return `${message} @ ${readFileSync(join(root, "tasks/x.ts"), "utf8").slice(span?.start, span?.end)}`;
    });
  }

  it("are all reported, each with its place", async () => {
    expect(
      await errors(`// é\nimport "./gone.ts";\nconst é = 1; import "nopackage/x";\nimport "./also-gone";`),
    ).toEqual([
      `Could not resolve "./gone.ts" @ "./gone.ts"`,
      `there is no package "nopackage/x" @ "nopackage/x"`,
      `Could not resolve "./also-gone" @ "./also-gone"`,
    ]);
    expect(await errors(`const a = 1;\nconst b = = 2;\n`)).toEqual([`Unexpected "=" @ =`]);
    expect(await errors(`import a from "./gone.ts?thread";\nexport default a;`)).toEqual([
      `Could not resolve "./gone.ts" @ "./gone.ts?thread"`,
    ]);
    expect(await errors(`import url from "./x.ts?thread";\nexport default url;`)).toEqual([
      `a thread cannot start itself @ "./x.ts?thread"`,
    ]);
  });

  it("include a missing module, at its name in the pipeline", async () => {
    const span = { file: "pipeline.yaml", start: 3, end: 9 };
    const missing = new CodeClosures(testFolder(), new Notes()).closure("tasks/none.ts", span);
    await expect(missing).rejects.toMatchObject({
      diagnostics: [{ message: "there is no task module tasks/none.ts", span }],
    });
  });
});

describe("a bundle", () => {
  it("runs in any folder, and finds packages from where they were imported", async () => {
    const root = testFolder({
      "tasks/x.ts": `import { task } from "lq";\nimport { f } from "somepkg";\nimport { join } from "node:path";\nexport default task({ run: () => {} });\nexport const seen: string = f(join("a", "b"));\n`,
      "node_modules/somepkg/package.json": `{"name":"somepkg","version":"1.0.0","type":"module","exports":{"import":"./index.js"}}`,
      "node_modules/somepkg/index.js": `export const f = (x) => "f:" + x;`,
    });
    const bundle = await new CodeClosures(root, new Notes()).bundle("tasks/x.ts");
    expect(dirname(bundle)).toBe(join(root, "cache/code"));
    const elsewhere = join(testFolder(), "moved.mjs");
    cpSync(bundle, elsewhere);
    const loaded = (await import(/* @vite-ignore */ pathToFileURL(elsewhere).href)) as {
      seen: string;
      default: object;
    };
    expect(loaded.seen).toBe(`f:a${sep}b`);
    expect(Object.keys(loaded.default)).toEqual(["run"]);
  });

  it("starts threads by the URL of their code", async () => {
    const root = testFolder({
      "tasks/x.ts": `import { Worker } from "node:worker_threads";\nimport url from "./thread.ts?thread";\nnew Worker(new URL(url)).on("message", console.log);\n`,
      "tasks/thread.ts": `import { parentPort } from "node:worker_threads";\nimport { f } from "somepkg";\nparentPort?.postMessage(f("thread" as string));\n`,
      "node_modules/somepkg/package.json": `{"name":"somepkg","version":"1.0.0","type":"module","exports":"./index.js"}`,
      "node_modules/somepkg/index.js": `export const f = (x) => "f:" + x;`,
    });
    const bundle = await new CodeClosures(root, new Notes()).bundle("tasks/x.ts");
    expect(execFileSync(process.execPath, [bundle], { encoding: "utf8" })).toBe("f:thread\n");
  });

  it("points errors to the line in the user's file, and gets a new name with new content", async () => {
    const root = testFolder({
      "tasks/x.ts": `// one\ninterface A { a: number }\nexport const a: A = { a: 1 };\nthrow new Error("here");\n`,
    });
    const bundle = await new CodeClosures(root, new Notes()).bundle("tasks/x.ts");
    let trace = "";
    try {
      execFileSync(process.execPath, ["--enable-source-maps", bundle], { stdio: "pipe" });
    } catch (error) {
      trace = String((error as { stderr: Buffer }).stderr);
    }
    expect(trace).toContain(`${join(root, "tasks/x.ts")}:4`);
    expect(await new CodeClosures(root, new Notes()).bundle("tasks/x.ts")).toBe(bundle);
    writeFileSync(join(root, "tasks/x.ts"), `export default 2;`);
    expect(await new CodeClosures(root, new Notes()).bundle("tasks/x.ts")).not.toBe(bundle);
  });

  it("is remembered with the closure, and made again when it is damaged or missing", async () => {
    const root = testFolder(FILES);
    const notes = new Notes();
    await remembered(root, notes);
    const bundle = () => new CodeClosures(root, notes).bundle("tasks/x.ts");
    const first = await bundle();
    const text = readFileSync(first, "utf8");
    // We put another file in its place, to see whether lq uses the remembered bundle or makes a new one.
    const other = join(dirname(first), `${sha256("// other")}.mjs`);
    writeFileSync(other, "// other");
    for (const [name, json] of notes.notes)
      notes.rememberNote(name, json.replace(sha256(text), sha256("// other")));
    expect(await bundle()).toBe(other);
    writeFileSync(other, "// damaged");
    expect(await bundle()).toBe(first);
    rmSync(first);
    expect(await bundle()).toBe(first);
    expect(readFileSync(first, "utf8")).toBe(text);
  });

  it("is refused when the code changed after the key was computed", async () => {
    const root = testFolder(FILES);
    const notes = new Notes();
    await remembered(root, notes);
    const build = new CodeClosures(root, notes);
    await build.closure("tasks/x.ts");
    writeFile(root, "tasks/lib/twice.ts", `export const twice = (n: number) => 5 * n;`);
    await expect(build.bundle("tasks/x.ts")).rejects.toThrow(
      "the code of tasks/x.ts changed during the build",
    );
  });
});

it("reads the study's own modules", async () => {
  const home = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  const { files } = await closure(home, "tasks/study/volume/volume.ts");
  expect(files.map((file) => file.path)).toEqual(["tasks/study/volume/volume.ts"]);
});
