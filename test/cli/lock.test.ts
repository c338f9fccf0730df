/** lq.lock: its lines, merging by git, and pulling from a cache. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { testFolder } from "../helpers/folder.ts";

const PIPELINE = `version: 1
cache: { folder: CACHE }
rules:
  list:
    cmd: "ls data > /dev/null; echo '[\\"a\\", \\"b\\", \\"c\\"]' > \${out}"
    in: data/
    out: cases.json
    lock: true
  train:
    each: { case: { in: cases.json, at: "[*]" } }
    cmd: "cat \${in} > \${out}"
    in: "data/\${case}.txt"
    out: "models/\${case}.txt"
    lock: true
  table:
    cmd: "cat \${in}*.txt > \${out}"
    in: models/
    out: table.md
`;

function project(): { of: CliProject; cache: string } {
  const cache = testFolder();
  const data = { "data/a.txt": "a\n", "data/b.txt": "b\n", "data/c.txt": "c\n" };
  return { of: cliProject({ "pipeline.yaml": PIPELINE.replace("CACHE", cache), ...data }), cache };
}

const names = (lock: string) => lock.split("\n\n").map((line) => line.split(" ")[0]);

test("one sorted line for each task of the locked rules; a change of one task changes only its line", async () => {
  const { of } = project();
  await of.built();
  const lock = of.read("lq.lock");
  expect(names(lock)).toEqual(["list", "train:a", "train:b", "train:c"]);
  expect(lock.split("\n\n")[1]).toMatch(/^train:a [0-9a-f]{64} [0-9a-f]{64}$/);
  await of.lq("clean");
  await of.built();
  expect(of.read("lq.lock")).toBe(lock);
  of.write("data/b.txt", "beta\n");
  await of.built("train");
  const [before, after] = [lock.split("\n"), of.read("lq.lock").split("\n")];
  expect(after.filter((line, i) => line !== before[i]).map((line) => line.split(" ")[0])).toEqual([
    "list",
    "train:b",
  ]);
});

test("a build that finds everything fresh repairs wrong or missing lines", async () => {
  const { of } = project();
  await of.built("train");
  const lock = of.read("lq.lock");
  await of.built("train");
  for (const text of [
    "",
    lock.split("\n\n").slice(1).join("\n\n"),
    lock.replaceAll(/[0-9a-f]{64}\n/g, `${"0".repeat(64)}\n`),
  ]) {
    of.write("lq.lock", text);
    expect((await of.lq("build", "train")).stdout).toContain("4 fresh");
    expect(of.read("lq.lock")).toBe(lock);
  }
});

test("a checkout with other line ends has the same lines, and keeps its line ends", async () => {
  const { of } = project();
  await of.built("train");
  const lock = of.read("lq.lock").replaceAll("\n", "\r\n");
  of.write("lq.lock", lock);
  expect(await of.lq("lock", "check")).toMatchObject({ code: 0, stdout: "4 as the commit says\n" });
  await of.built("train");
  expect(of.read("lq.lock")).toBe(lock);
  of.write("data/b.txt", "beta\n");
  await of.built("train");
  expect(of.read("lq.lock")).not.toContain("\r");
});

test("a rule that is no longer locked has no lines, even if it was the last one", async () => {
  const { of } = project();
  await of.built("train");
  const unlocked = of.read("pipeline.yaml").split("    lock: true\n");
  of.write("pipeline.yaml", `${unlocked[0]}${unlocked[1]}    lock: true\n${unlocked[2]}`);
  await of.built("train");
  expect(names(of.read("lq.lock"))).toEqual(["train:a", "train:b", "train:c"]);
  of.write("pipeline.yaml", unlocked.join(""));
  await of.built("train");
  expect(of.read("lq.lock")).toBe("");
});

test("a line that lq cannot read is refused with its place, before anything runs", async () => {
  const { of } = project();
  await of.built("train");
  of.write("lq.lock", `${of.read("lq.lock")}\nnonsense\n`);
  of.write("data/b.txt", "beta\n");
  for (const words of [["build"], ["lock", "check"], ["lock", "pull"], ["cache", "gc", "--keep-days", "0"]]) {
    const { code, stderr } = await of.lq(...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining("lq.lock:9:1: error: not a line of lq's")]);
  }
  of.remove("lq.lock");
  of.write("lq.lock/file", "");
  expect(await of.lq("build")).toMatchObject({ code: 2, stdout: "" });
  expect((await of.lq("build")).stderr).toBe("error: lq.lock is not a file\n  hint: move it away\n");
  expect(of.read("models/b.txt")).toBe("b\n");
});

test("a clone without the data reports missing outputs, pulls them, and reports a different one", async () => {
  const { of } = project();
  await of.built();
  const clone = cliProject({ "pipeline.yaml": of.read("pipeline.yaml"), "lq.lock": of.read("lq.lock") });
  // The trainings are known only when cases.json is there.
  expect(await clone.json("lock", "check")).toMatchObject([
    { missing: ["list"], unknown: ["train:a", "train:b", "train:c"], there: [] },
  ]);
  const [pulled] = await clone.json("lock", "pull");
  expect(pulled).toMatchObject({
    pulled: ["list", "train:a", "train:b", "train:c"],
    absent: [],
    unknown: [],
  });
  expect(clone.read("models/b.txt")).toBe("b\n");
  expect(await clone.lq("lock", "check")).toMatchObject({ code: 0, stdout: "4 as the commit says\n" });
  clone.write("models/b.txt", "edited\n");
  const check = await clone.lq("lock", "check", "models/");
  expect(check).toMatchObject({ code: 1 });
  expect(check.stdout).toContain("1 different from what the commit says:\n  train:b");
  const kept = await clone.lq("lock", "pull");
  expect(kept).toMatchObject({ code: 1 });
  expect(clone.read("models/b.txt")).toBe("edited\n");
  expect(await clone.lq("lock", "pull", "-f")).toMatchObject({ code: 0 });
  expect(clone.read("models/b.txt")).toBe("b\n");
  // With the data everything is fresh.
  for (const name of ["a", "b", "c"]) clone.write(`data/${name}.txt`, `${name}\n`);
  expect((await clone.built()).summary).toMatchObject({ ran: 0, fresh: 4, restored: 1 });
});

test("a collection by another project keeps what a clone has pulled", async () => {
  const { of, cache } = project();
  await of.built("train:a");
  const clone = cliProject({ "pipeline.yaml": of.read("pipeline.yaml"), "lq.lock": of.read("lq.lock") });
  expect(await clone.lq("lock", "pull")).toMatchObject({ code: 0 });
  of.write("data/a.txt", "A\n");
  await of.built("train:a");
  const then = new Date(Date.now() - 10 * 86_400_000);
  for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), then, then);
  expect(await of.lq("cache", "gc", "--keep-days", "0")).toMatchObject({ code: 0 });
  await clone.lq("clean");
  expect(await clone.lq("lock", "pull")).toMatchObject({ code: 0 });
  expect(clone.read("models/a.txt")).toBe("a\n");
});

test("outputs that the cache does not have are named, with exit code 1", async () => {
  const { of, cache } = project();
  await of.built();
  rmSync(cache, { recursive: true });
  await of.lq("clean");
  const { code, stdout } = await of.lq("lock", "pull", "list");
  expect(code).toBe(1);
  expect(stdout).toContain("1 not in the cache:\n  list");
});

test("git merges two branches that rebuilt neighbouring tasks, and conflicts where both rebuilt one", async () => {
  const { of } = project();
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-C", of.root, ...words], {
      stdio: "pipe",
    });
  await of.built();
  git("init", "-q", "-b", "main");
  git("add", "lq.lock");
  git("commit", "-q", "-m", "base");
  const branch = async (name: string, file: string, text: string) => {
    git("checkout", "-q", "-b", name, "main");
    const before = of.read(file);
    of.write(file, text);
    await of.built("train");
    // `list` reads all of data/, and would be rebuilt by both: leave its line as it was.
    const base = git("show", "main:lq.lock").toString().split("\n");
    of.write("lq.lock", [base[0], ...of.read("lq.lock").split("\n").slice(1)].join("\n"));
    git("commit", "-q", "-a", "-m", name);
    of.write(file, before);
  };
  await branch("one", "data/a.txt", "A\n");
  await branch("two", "data/b.txt", "B\n");
  await branch("three", "data/b.txt", "bee\n");
  git("merge", "-q", "one", "-m", "merge"); // three with one: neighbours
  expect(() => git("merge", "-q", "two", "-m", "merge")).toThrow("merge -q two");
  const refused = await of.lq("lock", "check");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toMatch(/lq\.lock:\d+:1: error: a merge conflict/);
  expect(refused.stderr).toMatch(/a second line for train:b/);
  of.write("data/c.txt", "sea\n");
  const build = await of.lq("build");
  expect(build).toMatchObject({ code: 2, stdout: "" });
  expect(of.read("models/c.txt")).toBe("c\n");
});

test("as git's merge driver it conflicts where both branches rebuilt one task, and nowhere else", async () => {
  const of = cliProject({ ".gitattributes": "lq.lock merge=lq\n" });
  const git = (...words: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", "-C", of.root, ...words], {
      stdio: "pipe",
      encoding: "utf8",
    });
  const hex = (name: string) => name.padEnd(64, "0");
  const lock = (tasks: { readonly [id: string]: string }) =>
    Object.entries(tasks)
      .map(([id, name]) => `${id} ${hex(name)} ${hex(name)}\n`)
      .join("\n");
  const branch = (name: string, tasks: { readonly [id: string]: string }) => {
    git("checkout", "-q", "-B", name, "main");
    of.write("lq.lock", lock(tasks));
    git("commit", "-q", "--allow-empty", "-a", "-m", name);
  };
  git("init", "-q", "-b", "main");
  git("config", "merge.lq.driver", `"${process.execPath}" "${HOME}dist/cli.cjs" lock merge %O %A %B`);
  const base = { a: "1", b: "1", c: "1" };
  of.write("lq.lock", lock(base));
  git("add", ".");
  git("commit", "-q", "-m", "base");
  const { a, b, c } = base;
  for (const [ours, theirs, merged] of [
    [
      { a, ab: "1", b, c },
      { a, b: "2", c },
      { a, ab: "1", b: "2", c },
    ], // added before what was rebuilt
    [
      { a, c },
      { a, b, c: "2" },
      { a, c: "2" },
    ], // removed before
    [
      { a, b, c, d: "1" },
      { a, b, c: "2" },
      { a, b, c: "2", d: "1" },
    ], // added after the last
    [
      { a, aa: "1", b, c },
      { a, ab: "1", b, c },
      { a, aa: "1", ab: "1", b, c },
    ], // both added
    [
      { a: "2", b: "2", c },
      { a, b: "2", c: "2" },
      { a: "2", b: "2", c: "2" },
    ], // one of them alike
  ] as const) {
    branch("theirs", theirs);
    branch("ours", ours);
    git("merge", "-q", "theirs", "-m", "merge");
    expect(of.read("lq.lock")).toBe(lock(merged));
  }
  branch("theirs", { a: "3", b: "2", c });
  branch("ours", { a, b: "3", c: "2" });
  expect(() => git("merge", "theirs", "-m", "merge")).toThrow("both branches rebuilt b");
  expect(git("status", "--short")).toBe("UU lq.lock\n");
  expect(of.read("lq.lock")).toBe(
    `${lock({ a: "3" })}\n<<<<<<< ours\n${lock({ b: "3" })}=======\n${lock({ b: "2" })}>>>>>>> theirs\n\n${lock({ c: "2" })}`,
  );
  // Every remaining conflict marker is reported with its place.
  of.write("pipeline.yaml", PIPELINE.replace("cache: { folder: CACHE }\n", ""));
  expect((await of.lq("lock", "check")).stderr).toContain("lq.lock:3:1: error: a merge conflict");
  of.write("lq.lock", `${lock({ a: "3" })}>>>>>>> theirs\n`);
  expect((await of.lq("lock", "check")).stderr).toContain("lq.lock:2:1: error: a merge conflict");
  expect((await of.lq("lock", "merge", "lq.lock")).stderr).toContain("takes three files, not 1");
});

test("a file to merge that is not a lock file of lq is named in the error", async () => {
  const { of } = project();
  await of.built("train");
  of.write("theirs", "\nnonsense\n");
  const { code, stderr } = await of.lq("lock", "merge", "lq.lock", "lq.lock", "theirs");
  expect(code).toBe(2);
  expect(stderr).toContain(`${of.path("theirs")}:2:1: error: not a line of lq's\n  2 | nonsense\n`);
});

test("rules without `lock` write no file, and targets without a line are refused", async () => {
  const of = cliProject({
    "pipeline.yaml": 'version: 1\nrules:\n  a:\n    cmd: "echo a > ${out}"\n    out: a.txt\n',
  });
  await of.built();
  expect(of.has("lq.lock")).toBe(false);
  expect(await of.lq("lock", "check")).toMatchObject({ code: 2 });
});
