import { mkdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { Disk } from "../../src/files/disk.ts";
import { coveredFiles, filesUnder, treeDigest, type Producers } from "../../src/fingerprint/tree.ts";
import { testFolder } from "../helpers/folder.ts";

/** A graph that makes these paths. */
function graph(...paths: string[]): Producers {
  return {
    outputsUnder: (dir) => paths.filter((path) => path.startsWith(dir) && path !== dir),
    makes: (path) => paths.some((each) => path === each || (each.endsWith("/") && path.startsWith(each))),
  };
}

const nothing = { isLeftover: () => false };

describe("treeDigest", () => {
  const a = { name: "a", digest: "0".repeat(64) };
  const b = { name: "b", digest: "1".repeat(64) };

  it("changes with the names, the contents and the number of files", () => {
    const digests = [[], [a], [b], [a, b], [{ ...a, name: "b" }], [{ ...a, digest: b.digest }]].map(
      treeDigest,
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("differs even when a name looks like the text of two entries", () => {
    expect(
      treeDigest([{ name: `a\0${"0".repeat(64)}\nb`.replaceAll("\0", " "), digest: b.digest }]),
    ).not.toBe(treeDigest([a, b]));
  });
});

describe("filesUnder", () => {
  it("lists files by name, through links, with odd names, without lq's own folder", () => {
    const root = testFolder({
      "data/b.txt": "",
      "data/sub/a b\n'c\".txt": "",
      "data/sub/-x": "",
      "data/é": "",
      "data/.hidden": "",
      "elsewhere/deep/c.txt": "",
      "cache/objects/x": "",
    });
    symlinkSync("../elsewhere", join(root, "data/linked"));
    symlinkSync("../elsewhere/deep/c.txt", join(root, "data/c"));
    symlinkSync("nowhere", join(root, "data/dangling"));
    mkdirSync(join(root, "data/empty"));
    expect(filesUnder(root, "data/")).toEqual(
      [".hidden", "b.txt", "c", "linked/deep/c.txt", "sub/-x", "sub/a b\n'c\".txt", "é"].sort(),
    );
    expect(filesUnder(root, "").filter((name) => name.startsWith("cache"))).toEqual([]);
    expect(filesUnder(root, "none/")).toEqual([]);
  });

  it("finds nothing in a folder that is removed while it is read", () => {
    const root = testFolder({ "data/a": "" });
    class Slow extends Disk {
      override stat(path: string) {
        const stats = super.stat(path);
        rmSync(join(root, "data"), { recursive: true, force: true });
        return stats;
      }
    }
    expect(filesUnder(root, "data/", new Slow())).toEqual([]);
  });

  it("names a link that leads back to its own folder or to itself", () => {
    const root = testFolder({ "data/sub/a": "" });
    symlinkSync("../..", join(root, "data/sub/up"));
    expect(() => filesUnder(root, "data/")).toThrow(
      "data/sub/up is a symbolic link to a directory that contains it",
    );
    rmSync(join(root, "data/sub/up"));
    symlinkSync("self", join(root, "data/self"));
    expect(() => filesUnder(root, "data/")).toThrow(
      "data/self cannot be read: it is a loop of symbolic links",
    );
  });

  it("lists a folder that is linked twice under both names", () => {
    const root = testFolder({ "one/a": "" });
    mkdirSync(join(root, "data"));
    symlinkSync("../one", join(root, "data/x"));
    symlinkSync("../one", join(root, "data/y"));
    expect(filesUnder(root, "data/")).toEqual(["x/a", "y/a"]);
  });

  it("notices a change in a folder that it has listed before", () => {
    const root = testFolder({ "data/a": "", "data/b": "" });
    const old = new Date(0);
    utimesSync(join(root, "data"), old, old);
    // So long after the last change that another change cannot have the same time.
    const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    const disk = new Disk();
    const names = () => filesUnder(root, "data/", disk);
    expect([names(), names()]).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(disk.stillHolds()).toBe(true);
    rmSync(join(root, "data/b"));
    expect(names()).toEqual(["a"]);
    expect(disk.stillHolds()).toBe(false);
    now.mockRestore();
  });

  it("says that a file is no directory", () => {
    expect(() => filesUnder(testFolder({ data: "" }), "data/")).toThrow(
      "data/ is a file where a directory is expected",
    );
  });
});

describe("coveredFiles", () => {
  it("skips the bytecode that Python leaves, unless a task makes it", () => {
    const root = testFolder({
      "lib/a.py": "",
      "lib/__pycache__/a.cpython-311.pyc": "",
      "lib/sub/b.py": "",
      "lib/sub/__pycache__/b.cpython-311.pyc": "",
    });
    const covered = (...made: string[]) => coveredFiles(root, graph(...made), nothing, "lib/", new Disk());
    expect(covered()).toEqual(["a.py", "sub/b.py"]);
    const made = "sub/__pycache__/b.cpython-311.pyc";
    expect(covered(`lib/${made}`)).toEqual(["a.py", made, "sub/b.py"]);
  });

  const root = () =>
    testFolder({ "data/mine.txt": "", "data/made.txt": "", "data/orphan.txt": "", "data/tree/x": "" });

  it("has what the graph makes, made or not, and what is on the disk", () => {
    const covered = coveredFiles(
      root(),
      graph("data/made.txt", "data/later.txt", "other.txt"),
      nothing,
      "data/",
      new Disk(),
    );
    expect(covered).toEqual(["later.txt", "made.txt", "mine.txt", "orphan.txt", "tree/x"]);
  });

  it("leaves out what lq wrote for tasks that are gone, and keeps what the graph still makes", () => {
    const untouched = { isLeftover: (path: string) => path !== "data/mine.txt" };
    expect(
      coveredFiles(root(), graph("data/made.txt", "data/tree/"), untouched, "data/", new Disk()),
    ).toEqual(["made.txt", "mine.txt", "tree/x"]);
  });
});
