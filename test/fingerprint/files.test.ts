import {
  chmodSync,
  mkdirSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { sha256 } from "../../src/system/digest.ts";
import { FileDigests, type FileMemo } from "../../src/files/files.ts";
import type { HashProgress } from "../../src/files/hash-many.ts";
import { hashFile } from "../../src/files/read-file.ts";
import { isRacy, type Signature } from "../../src/files/signature.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

/** A memo that shows what it was asked to remember. */
class Memory implements FileMemo {
  readonly known = new Map<string, string>();
  digestOf(path: string, signature: Signature): string | undefined {
    return this.known.get(path + JSON.stringify(signature));
  }
  rememberFile(path: string, digest: string, signature: Signature): void {
    this.known.set(path + JSON.stringify(signature), digest);
  }
}

/** Runs `body` as if `milliseconds` had passed since the files were written. */
function later<T>(milliseconds: number, body: () => T): T {
  const clock = vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + milliseconds);
  try {
    return body();
  } finally {
    clock.mockRestore();
  }
}

describe("FileDigests", () => {
  it("gives sha256 of the content, at every size around the size of its buffer", async () => {
    const root = testFolder();
    const files = new FileDigests(root, new Memory());
    for (const size of [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9 << 20]) {
      const content = Buffer.alloc(size, `${size} `);
      writeFileSync(join(root, `f${size}`), content);
      expect(files.digest(`f${size}`)).toBe(sha256(content));
      expect(await hashFile(join(root, `f${size}`))).toBe(sha256(content));
    }
  });

  it("gives null for a file that is not there, and follows links", () => {
    const root = testFolder({ "a.txt": "a", "b.txt": "b" });
    symlinkSync("a.txt", join(root, "link"));
    symlinkSync("nowhere", join(root, "dangling"));
    const files = new FileDigests(root, new Memory());
    expect(files.digest("none.txt")).toBeNull();
    expect(files.digest("a.txt/below")).toBeNull();
    expect(files.digest("dangling")).toBeNull();
    expect(files.digest("link")).toBe(sha256("a"));
    expect(files.digest(join(root, "b.txt"))).toBe(sha256("b"));
  });

  it("says why something cannot be read", () => {
    const root = testFolder({ "secret.txt": "s" });
    symlinkSync("loop", join(root, "loop"));
    mkdirSync(join(root, "folder"));
    const files = new FileDigests(root, new Memory());
    expect(() => files.digest("loop")).toThrow(
      new UserError("loop cannot be read: it is a loop of symbolic links"),
    );
    expect(() => files.digest("folder")).toThrow("folder is a directory where a file is expected");
    expect(() => files.digest("/dev/null")).toThrow("/dev/null is neither a file nor a directory");
    chmodSync(join(root, "secret.txt"), 0);
    if (process.getuid?.() === 0) console.log("skipped: root may read everything");
    else expect(() => files.digest("secret.txt")).toThrow("secret.txt cannot be read: permission denied");
  });

  it("does not read again what another build remembered", () => {
    const root = testFolder({ "a.txt": "one" });
    const memory = new Memory();
    later(1000, () => expect(new FileDigests(root, memory).digest("a.txt")).toBe(sha256("one")));
    for (const key of memory.known.keys()) memory.known.set(key, "remembered");
    expect(new FileDigests(root, memory).digest("a.txt")).toBe("remembered");
  });

  it("notices an edit that keeps size and mtime, in place or by replacement", async () => {
    const root = testFolder({ "a.txt": "one", "b.txt": "one" });
    const memory = new Memory();
    const first = new FileDigests(root, memory);
    later(1000, () => [first.digest("a.txt"), first.digest("b.txt")]);
    expect(memory.known.size).toBe(2);

    const { atime, mtime } = statSync(join(root, "a.txt"));
    const before = statSync(join(root, "a.txt")).ctimeMs;
    while (statSync(join(root, "a.txt")).ctimeMs === before) writeFileSync(join(root, "a.txt"), "two");
    utimesSync(join(root, "a.txt"), atime, mtime);
    writeFileSync(join(root, "new"), "two");
    utimesSync(join(root, "new"), atime, mtime);
    renameSync(join(root, "new"), join(root, "b.txt"));

    const second = new FileDigests(root, memory);
    expect(second.digest("a.txt")).toBe(sha256("two"));
    expect(second.digest("b.txt")).toBe(sha256("two"));
    const old = ["a.txt", "b.txt"].map((path) => ({ path, digest: sha256("one") }));
    expect(await first.changed(old)).toEqual(["a.txt", "b.txt"]);
  });

  it("does not remember a file that was hashed in the tick in which it changed", async () => {
    const root = testFolder({ "a.txt": "one" });
    const memory = new Memory();
    const files = new FileDigests(root, memory);
    const { ctimeMs } = statSync(join(root, "a.txt"));
    later(ctimeMs - Date.now(), () => files.digest("a.txt"));
    expect(memory.known.size).toBe(0);
    // The signature is not enough here, so lq compares the content.
    expect(await files.changed([{ path: "a.txt", digest: sha256("one") }])).toEqual([]);
  });

  it("does not trust times in whole seconds or in the future", () => {
    const at = (ctimeMs: number): Signature => ({ size: 1, mtimeMs: 0, ctimeMs, ino: 1 });
    expect(isRacy(at(10_000.5), 10_010)).toBe(true);
    expect(isRacy(at(10_000.5), 10_100)).toBe(false);
    expect(isRacy(at(10_000), 11_900)).toBe(true);
    expect(isRacy(at(10_000), 12_100)).toBe(false);
    expect(isRacy(at(99_000.5), 10_000)).toBe(true);
  });

  it("reads a file once a build, until it is told that the file changed", async () => {
    const root = testFolder({ "a.txt": "one" });
    const files = new FileDigests(root, new Memory());
    files.digest("a.txt");
    writeFile(root, "a.txt", "three");
    expect(files.digest("a.txt")).toBe(sha256("one"));
    expect(await files.changed([{ path: "a.txt", digest: sha256("one") }])).toEqual(["a.txt"]);
    files.forget(["a.txt"]);
    expect(files.digest("a.txt")).toBe(sha256("three"));
    expect(await files.changed([{ path: "a.txt", digest: sha256("three") }])).toEqual([]);
    writeFile(root, "a.txt", "fourth");
    files.learn("a.txt", sha256("fourth"));
    expect(files.digest("a.txt")).toBe(sha256("fourth"));
  });

  it("hashes large files in threads, reports progress, and reads none of them again", async () => {
    const root = testFolder({ "small.txt": "s" });
    for (const name of ["a", "b"]) {
      writeFileSync(join(root, name), name);
      truncateSync(join(root, name), 100 << 20);
    }
    const files = new FileDigests(root, new Memory());
    const told: HashProgress[] = [];
    // The clock advances one second per call, so that progress is reported on any disk.
    const clock = vi.spyOn(performance, "now");
    for (let second = 0; second < 1000; second++) clock.mockReturnValueOnce(1000 * second);
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    await files.prefetch(["small.txt", "a", "b", "a", "none"], { progress: (each) => told.push(each) });
    clearInterval(turning);
    clock.mockRestore();
    expect(turns).toBeGreaterThan(10);
    const total = (200 << 20) + 1;
    expect(told.at(-1)).toMatchObject({ bytes: total, total });
    const bytes = told.map((each) => each.bytes);
    expect(bytes).toEqual(bytes.toSorted((x, y) => x - y));
    const expected = ["a", "b"].map((name) =>
      sha256(Buffer.concat([Buffer.from(name), Buffer.alloc((100 << 20) - 1)])),
    );
    chmodSync(join(root, "a"), 0o200);
    expect(["a", "b"].map((name) => files.digest(name))).toEqual(expected);
  });

  it("leaves a file that it cannot hash to the later request, and stops when aborted", async () => {
    const root = testFolder({ "other.txt": "o" });
    writeFileSync(join(root, "large"), "");
    truncateSync(join(root, "large"), 3 * 2 ** 30);
    mkdirSync(join(root, "gone"));
    const files = new FileDigests(root, new Memory());
    const controller = new AbortController();
    const ended = files.prefetch(["other.txt", "large"], { signal: controller.signal });
    controller.abort(new Error("interrupted"));
    await expect(ended).rejects.toThrow("interrupted");
    await expect(files.prefetch(["large"], { signal: controller.signal })).rejects.toThrow("interrupted");
    // New threads replace those that were ended.
    truncateSync(join(root, "large"), 64 << 20);
    files.forget(["large"]);
    await files.prefetch(["large"]);
    expect(files.digest("large")).toBe(sha256(Buffer.alloc(64 << 20)));
  });
});
