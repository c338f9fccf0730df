/** The kinds of links by which lq puts outputs from the store in place. */
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { build, clean, objectOf, project } from "./cache-project.ts";
import { testFolder } from "../helpers/folder.ts";

describe("kinds of links", () => {
  test("hardlink: one file with two names, read-only, also after restoring; nothing is stored twice", async () => {
    const of = project("cache: { link: hardlink }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    const same = () => statSync(of.path("out/a.txt")).ino === statSync(objectOf(of, "alpha\n")).ino;
    expect(same()).toBe(true);
    expect(statSync(of.path("out/a.txt")).mode & 0o222).toBe(0);
    expect(statSync(of.path("tree/run")).mode & 0o111).not.toBe(0);
    await clean(of);
    expect(of.has("out/a.txt")).toBe(false);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    expect(same()).toBe(true);
    expect(await build(of)).toEqual({ ran: 0, restored: 0 });
  });

  test("hardlink: an edit in place is noticed, and the cache never restores it", async () => {
    const of = project("cache: { link: hardlink }\n");
    await build(of, "out/");
    chmodSync(of.path("out/a.txt"), 0o644);
    appendFileSync(of.path("out/a.txt"), "edited\n");
    const refused = await of.lq("build", "out/");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("out/a.txt");
    of.remove("out/a.txt");
    expect(await build(of, "out/")).toEqual({ ran: 1, restored: 0 });
    expect(of.read("out/a.txt")).toBe("alpha\n");
  });

  test.each(["hardlink", "symlink"])(
    "%s: a content that becomes one more output is no change for who reads it",
    async (link) => {
      const of = cliProject({
        "pipeline.yaml": `version: 1
cache: { link: ${link} }
rules:
  one: { cmd: "echo same > \${out}", out: one.txt }
  reader: { cmd: "echo run >> runs; cat \${in} > \${out}; cat gate", in: one.txt, out: reader.txt }
  two: { cmd: "echo same > \${out}", out: two.txt }
`,
      });
      of.fifo("gate");
      const lq = of.start("build", "--json", "-j", "2");
      const ended = new Set(["one", "two"]);
      while (ended.size > 0)
        for (const line of await lq.line('"outcome":"ran"'))
          ended.delete(/"task":"(\w+)","outcome"/.exec(line)?.[1] ?? "");
      expect(statSync(of.path("one.txt")).ino).toBe(statSync(of.path("two.txt")).ino);
      of.write("gate", "");
      expect((await lq.ended).code).toBe(0);
      expect(of.read("runs")).toBe("run\n");
      expect(await build(of)).toEqual({ ran: 0, restored: 0 });
    },
  );

  /** A file system other than that of temporary projects, if there is one. */
  const elsewhere = ["/dev/shm", "/run/shm"].find((folder) => {
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats !== undefined && stats.dev !== statSync(tmpdir()).dev;
  });

  test.each([
    ["hardlink", tmpdir()],
    ["symlink", tmpdir()],
    ["reflink, hardlink, symlink", tmpdir()],
    ["reflink, hardlink, symlink", elsewhere ?? tmpdir()],
  ])(
    "%s, cache in %s: links in a directory output, and more names of a file, do no harm",
    async (kinds, at) => {
      const folder = testFolder({}, at);
      writeFileSync(join(folder, "outside"), "of somebody else\n", { mode: 0o600 });
      const of = cliProject({
        "pipeline.yaml": `version: 1
cache: { folder: ${folder}, link: [${kinds}] }
rules:
  one: { cmd: "echo same > \${out}", out: one.txt }
  name: { cmd: "ln \${in} \${out}", in: src/a.txt, out: name.txt }
  tree:
    cmd: |
      mkdir \${out}sub
      cp \${in} \${out}sub/run; chmod +x \${out}sub/run
      ln -s sub/run \${out}first
      ln -s run \${out}sub/link
      ln -s ${folder}/outside \${out}outside
    in: one.txt
    out: tree/
`,
        "src/a.txt": "mine\n",
      });
      const contents = () =>
        ["first", "sub/run", "sub/link", "outside"].map((name) => of.read(`tree/${name}`));
      for (const expected of [
        { ran: 3, restored: 0 },
        { ran: 0, restored: 3 },
      ]) {
        expect(await build(of)).toEqual(expected);
        expect(contents()).toEqual(["same\n", "same\n", "same\n", "of somebody else\n"]);
        expect((await of.lq("cache", "verify")).stdout).toBe("3 objects (27 B) and 3 actions verified\n");
        await clean(of);
      }
      expect(statSync(join(folder, "outside")).mode & 0o777).toBe(0o600);
      expect(statSync(of.path("src/a.txt")).mode & 0o200).not.toBe(0);
    },
  );

  test("symlink: outputs are links into the cache, and clean removes the links only", async () => {
    const of = project("cache: { link: [symlink] }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    expect(readlinkSync(of.path("out/b.txt"))).toBe(objectOf(of, "beta\n"));
    expect(lstatSync(of.path("tree/d/a.txt")).isSymbolicLink()).toBe(true);
    expect(of.read("tree/d/a.txt")).toBe("alpha\n");
    expect((await of.lq("status")).stdout).toBe("all 3 tasks fresh\n");
    await clean(of);
    expect(of.has("out/b.txt")).toBe(false);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    // Without the content, the output is missing, too: a build makes it again, or removes the link.
    rmSync(objectOf(of, "beta\n"));
    expect((await of.lq("clean", "out/b.txt")).stdout).toContain("removed out/b.txt\n");
    expect(readdirSync(of.path("out"))).toEqual(["a.txt"]);
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
    rmSync(objectOf(of, "beta\n"));
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
    expect(of.read("out/b.txt")).toBe("beta\n");
  });

  test("if a kind does not work here, lq uses the next one; a copy can be edited without harm", async () => {
    const of = project("cache: { link: [reflink] }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    appendFileSync(of.path("out/a.txt"), "edited\n");
    expect((await of.lq("cache", "verify")).code).toBe(0);
  });

  test("an unknown kind is refused with its place", async () => {
    const { code, stderr } = await project("cache: { link: hardlnk }\n").lq("status");
    expect(code).toBe(2);
    expect(stderr).toContain('pipeline.yaml:2:16: error: unknown kind of link "hardlnk"');
    expect(stderr).toContain('did you mean "hardlink"?');
  });
});
