import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { place } from "../../src/record/place.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

describe("place", () => {
  it("moves files and directories, and replaces old ones", () => {
    for (const old of [{}, { "out/x": "old" }, { "out/x/inner": "old" }]) {
      const root = testFolder({ ...old, "cache/staging/1/x": "new" });
      place(root, join(root, "cache/staging/1/x"), "out/x");
      expect(readFileSync(join(root, "out/x"), "utf8")).toBe("new");
      expect(existsSync(join(root, "cache/staging/1/x"))).toBe(false);
      expect(readdirSync(join(root, "cache/staging"))).toEqual(["1"]);
    }
    for (const old of [{}, { "out/x": "old" }, { "out/x/old": "old" }]) {
      const root = testFolder({ ...old, "cache/staging/1/x/new": "new" });
      place(root, join(root, "cache/staging/1/x/"), "out/x/");
      expect(readdirSync(join(root, "out/x"))).toEqual(["new"]);
      expect(readdirSync(join(root, "cache/staging"))).toEqual(["1"]);
    }
  });

  it("replaces a link, not its target", () => {
    const root = testFolder({ "mine.txt": "mine", staged: "new" });
    symlinkSync("mine.txt", join(root, "out.txt"));
    place(root, join(root, "staged"), "out.txt");
    expect(readFileSync(join(root, "mine.txt"), "utf8")).toBe("mine");
    expect(readFileSync(join(root, "out.txt"), "utf8")).toBe("new");
  });

  it("leaves no second name if both paths are links of one file", () => {
    const root = testFolder({ staged: "same" });
    linkSync(join(root, "staged"), join(root, "out"));
    place(root, join(root, "staged"), "out");
    expect(readdirSync(root)).toEqual(["out"]);
  });

  it("keeps the old directory if the new one cannot be moved", () => {
    const root = testFolder({ "out/old": "old" });
    expect(() => place(root, join(root, "nowhere/"), "out/")).toThrow();
    expect(readdirSync(join(root, "out"))).toEqual(["old"]);
  });

  it("names the path that is in the way", () => {
    const root = testFolder({ staged: "new", folder: "a file" });
    expect(() => place(root, join(root, "staged"), "folder/out")).toThrow(
      "the output folder/out cannot be put in place: a folder of its path is a file",
    );
    expect(readFileSync(join(root, "staged"), "utf8")).toBe("new");
  });

  it("moves to another file system", ({ skip }) => {
    skip(!existsSync("/dev/shm"), "there is no /dev/shm");
    const root = testFolder({ "cache/staging/x/a": "1", "cache/staging/f": "2" });
    const other = join("/dev/shm", `lq-${process.pid}`);
    mkdirSync(other);
    try {
      symlinkSync(other, join(root, "out"));
      writeFile(root, "out/x/old", "old");
      place(root, join(root, "cache/staging/x/"), "out/x/");
      place(root, join(root, "cache/staging/f"), "out/f");
      expect(readdirSync(join(root, "out")).sort()).toEqual(["f", "x"]);
      expect(readdirSync(join(root, "out/x"))).toEqual(["a"]);
      expect(existsSync(join(root, "cache/staging/x"))).toBe(false);
    } finally {
      rmSync(other, { recursive: true });
    }
  });
});
