/** `./lq` itself: the script that sets up a clone. */
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { testFolder } from "../helpers/folder.ts";

let clone: string;

beforeEach(() => {
  clone = testFolder();
  for (const path of ["lq", "src", "web", "scripts", "package.json", "package-lock.json", "tsconfig.json"])
    cpSync(join(HOME, path), join(clone, path), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(HOME, "node_modules"), join(clone, "node_modules"));
});

function start(
  script: string,
  words: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(script, words, { cwd: tmpdir(), stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

const VERSION = { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string, stderr: "" };

test("compiles at the first start, works through symlinks from any folder, and leaves no lock", async () => {
  symlinkSync(join(clone, "lq"), join(clone, "one"));
  symlinkSync("one", join(clone, "two"));
  expect(await start(join(clone, "two"), ["--version"])).toEqual(VERSION);
  expect(existsSync(join(clone, "dist/cli.cjs"))).toBe(true);
  expect(readdirSync(join(clone, "dist"))).not.toContain(".setup-lock");
});

test("first starts at the same time do not break each other", async () => {
  const all = await Promise.all([1, 2, 3].map(() => start(join(clone, "lq"), ["--version"])));
  expect(all).toEqual([VERSION, VERSION, VERSION]);
});

test("compiles again when a source is newer, and only then", async () => {
  await start(join(clone, "lq"), ["--version"]);
  const version = join(clone, "src/cli/version.ts");
  writeFileSync(version, 'export const VERSION: string = "9.9.9";\n');
  expect((await start(join(clone, "lq"), ["--version"])).stdout).toBe("9.9.9\n");
  writeFileSync(version, "const = 1\n");
  const longAgo = new Date(0);
  utimesSync(version, longAgo, longAgo);
  expect((await start(join(clone, "lq"), ["--version"])).stdout).toBe("9.9.9\n");
});

test("a lock of a process that has ended does not block others", async () => {
  mkdirSync(join(clone, "dist"));
  symlinkSync("999999999", join(clone, "dist/.setup-lock"));
  expect(await start(join(clone, "lq"), ["--version"])).toEqual(VERSION);
});

test("errors of the compiler are reported with their place", async () => {
  writeFileSync(join(clone, "src/cli/version.ts"), "const = 1\n");
  const { code, stderr } = await start(join(clone, "lq"), ["--version"]);
  expect(code).toBe(2);
  expect(stderr).toContain("src/cli/version.ts:1:6");
});

test("without Node it says what to do", () => {
  const { status, stderr } = spawnSync("/bin/sh", [join(clone, "lq")], {
    env: { PATH: clone },
    encoding: "utf8",
  });
  expect(status).toBe(2);
  expect(stderr).toContain("Node.js is not installed");
});

test("with an old Node it says so", () => {
  const old = join(clone, "bin/node");
  mkdirSync(join(clone, "bin"));
  writeFileSync(old, '#!/bin/sh\n[ "$1" = --version ] && echo v18.0.0\nexit 1\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${clone}/bin:${process.env.PATH ?? ""}` };
  const { status, stderr } = spawnSync(join(clone, "lq"), { env, encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("lq needs Node.js 20.19 or later; this is v18.0.0");
});

test("node_modules of another version are installed again, but not if the lock file is only newer", () => {
  const check = (): number | null =>
    spawnSync(process.execPath, [join(clone, "scripts/installed.mjs")]).status;
  const installed = readFileSync(join(HOME, "node_modules/.package-lock.json"), "utf8");
  rmSync(join(clone, "node_modules"));
  mkdirSync(join(clone, "node_modules"));
  writeFileSync(join(clone, "node_modules/.package-lock.json"), installed);
  expect(check()).toBe(0);
  const lock = JSON.parse(installed) as { packages: { [path: string]: { version: string } } };
  lock.packages["node_modules/commander"] = { version: "0.0.1" };
  writeFileSync(join(clone, "node_modules/.package-lock.json"), JSON.stringify(lock));
  expect(check()).toBe(1);
});
