/** Compares digests of Python files with Python's own `ast.dump`, on Python's library and on mutated pieces of it. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PythonReader, type PythonFile } from "../../src/followed/reader.ts";
import { hasModule, PYTHON, runPython } from "../helpers/python.ts";
import { testFolder } from "../helpers/folder.ts";

const MUTATE = fileURLToPath(new URL("mutate.py", import.meta.url));
const HAS_BLACK = PYTHON !== null && hasModule("black");
/** Packages whose files are compared, too. */
const PACKAGES = ["numpy", "scipy", "torch"].filter((name) => hasModule(name));

const LIST = `
import os, sys, sysconfig, importlib.util, json
folders = [sysconfig.get_paths()["stdlib"]]
for name in sys.argv[2:]:
    spec = importlib.util.find_spec(name)
    folders.append(os.path.dirname(spec.origin))
found = []
for folder in folders:
    for base, _, names in sorted(os.walk(folder)):
        found += [os.path.join(base, name) for name in sorted(names) if name.endswith(".py")]
step = max(1, len(found) // int(sys.argv[1]))
print(json.dumps([path for path in found[::step] if os.path.getsize(path) < 100000]))
`;

/** About `count` files, spread over Python's library and the packages. */
function library(count: number, ...packages: string[]): string[] {
  return JSON.parse(runPython("-c", LIST, String(count), ...packages)) as string[];
}

async function readAll(files: readonly string[]): Promise<PythonFile[]> {
  const reader = new PythonReader(PYTHON ?? "");
  const read = await Promise.all(files.map((file) => reader.read(file)));
  await reader.close();
  return read;
}

function digestOf(file: PythonFile): string {
  return file.kind === "read" ? file.digest : file.kind;
}

describe.skipIf(PYTHON === null)(`the digest of a Python file (${PYTHON ?? "there is no python3"})`, () => {
  it("is equal exactly if ast.dump is equal, for 10,000 mutated pieces of the library", async () => {
    const folder = testFolder();
    const files = library(300).filter((file) => !/bad|lib2to3/.test(file));
    const lines = runPython(MUTATE, folder, "10000", "19", ...files.slice(0, 150))
      .trim()
      .split("\n");
    const cases = lines.map((line) => JSON.parse(line) as [string, string | null]);
    const read = await readAll(cases.map(([path]) => path));
    const digests = new Map<string, string>();
    const dumps = new Map<string, string>();
    const wrong: string[] = [];
    const same = (known: Map<string, string>, name: string, value: string): boolean =>
      (known.get(name) ?? known.set(name, value).get(name)) === value;
    for (const [i, [path, dump]] of cases.entries()) {
      const file = read[i]!;
      if ((dump === null) !== (file.kind === "refused")) wrong.push(path);
      if (dump === null || file.kind !== "read") continue;
      if (!same(digests, dump, file.digest) || !same(dumps, file.digest, dump)) wrong.push(path);
    }
    expect(wrong).toEqual([]);
    const refused = cases.filter(([, dump]) => dump === null).length;
    // The edits make files of all kinds.
    expect(refused).toBeGreaterThan(1000);
    expect(digests.size).toBeGreaterThan(1000);
    expect(digests.size).toBeLessThan(cases.length - refused);
  });

  it(`reads every file of the library${PACKAGES.map((name) => `, ${name}`).join("")} as Python does`, async () => {
    const files = library(400, ...PACKAGES);
    const ask =
      "import ast, sys, json, hashlib, warnings\nwarnings.simplefilter('ignore')\n" +
      "for line in sys.stdin:\n" +
      "    try: print(hashlib.sha256(ast.dump(ast.parse(open(line.strip(), 'rb').read())).encode('utf-8', 'surrogatepass')).hexdigest())\n" +
      "    except (SyntaxError, ValueError): print('refused')\n";
    const input = files.join("\n");
    const dumps = execFileSync(PYTHON ?? "", ["-c", ask], { input, encoding: "utf8" })
      .trim()
      .split("\n");
    const read = await readAll(files);
    expect(read.map(({ kind }) => kind === "refused")).toEqual(dumps.map((dump) => dump === "refused"));
    const pairs = new Set(read.map((file, i) => `${digestOf(file)} ${dumps[i]}`));
    expect(pairs.size).toBe(new Set(dumps).size);
    expect(pairs.size).toBe(new Set(read.map(digestOf)).size);
  });

  it("does not change with comments, quotes, parentheses, line breaks, trailing commas or elif", async () => {
    const folder = testFolder();
    const same = [
      "def f(a, b):\n    if a:\n        return 'x'\n    elif b:\n        return [1, 0x10]\n",
      '# why\ndef f(\n    a,  # first\n    b,\n):\n\n  if (a): return "x"\n  else:\n    if b:\n        return [1, 16,]\n',
      "def f(a,b):\r\n\tif a:\r\n\t\treturn ('x')\r\n\telif b:\r\n\t\treturn ([1,\\\r\n16])\r\n",
    ];
    const different = [
      "def f(a, b):\n    if a:\n        return 'x'\n    if b:\n        return [1, 0x10]\n",
      "def f(a, b):\n    'doc'\n    if a:\n        return 'x'\n    elif b:\n        return [1, 0x10]\n",
      "def f(a, b):\n    if a:\n        return 'x '\n    elif b:\n        return [1, 0x10]\n",
      "def f(a, b):\n    if a:\n        return 'x'\n    elif b:\n        return [True, 0x10]\n",
    ];
    const paths = [...same, ...different].map((text, i) => {
      const path = join(folder, `${i}.py`);
      writeFileSync(path, text);
      return path;
    });
    const digests = (await readAll(paths)).map(digestOf);
    expect(new Set(digests.slice(0, 3)).size).toBe(1);
    expect(new Set(digests.slice(2)).size).toBe(1 + different.length);
  });

  it.skipIf(!HAS_BLACK)(
    `does not change when black formats a file${HAS_BLACK ? "" : " (no black)"}`,
    async () => {
      const folder = testFolder();
      const files = library(60)
        .filter((file) => !/lib2to3|test/.test(file))
        .slice(0, 40);
      const copies = files.map((file, i) => {
        const copy = join(folder, `${i}.py`);
        writeFileSync(copy, readFileSync(file));
        return copy;
      });
      const before = await readAll(copies);
      // Docstrings, whose indentation black changes, are content: those files are left as they are.
      const script =
        "import black, ast, sys, json\n" +
        "for path in json.load(sys.stdin):\n" +
        "    text = open(path, encoding='utf-8', newline='').read()\n" +
        "    try: new = black.format_str(text, mode=black.Mode())\n" +
        "    except Exception: continue\n" +
        "    if ast.dump(ast.parse(text)) == ast.dump(ast.parse(new)) and new != text:\n" +
        "        open(path, 'w', encoding='utf-8', newline='').write(new); print(path)\n";
      const formatted = execFileSync(PYTHON ?? "", ["-c", script], {
        input: JSON.stringify(copies),
        encoding: "utf8",
      });
      expect(formatted.trim().split("\n").length).toBeGreaterThan(10);
      expect((await readAll(copies)).map(digestOf)).toEqual(before.map(digestOf));
    },
  );

  it("goes on after files that end the interpreter", async () => {
    const folder = testFolder({
      "deep.py": `x = ${"(".repeat(100_000)}`,
      "good.py": "x = 1\n",
      "null.py": "\0",
    });
    const read = await readAll(
      ["deep.py", "good.py", "null.py", "none.py"].map((name) => join(folder, name)),
    );
    expect(read.map(({ kind }) => kind)).toEqual(["refused", "read", "refused", "unreadable"]);
  });
});
