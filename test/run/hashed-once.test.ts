/** A build hashes no content twice: neither sources, nor outputs, nor either of them when it writes the snapshot. */
import { truncateSync } from "node:fs";
import { expect, it, vi } from "vitest";
import type * as threads from "../../src/files/hash-threads.ts";
import type * as here from "../../src/files/hash.ts";
import { acquireLock } from "../../src/state/lock.ts";
import { settle } from "../helpers/settle.ts";
import { Project, type Options } from "../helpers/project.ts";

/** Every file that was hashed: its digest, and its path as the caller named it. */
const hashed: [digest: string, path: string][] = [];

vi.mock("../../src/files/hash.ts", async (original) => {
  const real = await original<typeof here>();
  const count = <H extends here.Hashed>(path: string, result: H): H => {
    hashed.push([result.digest, path]);
    return result;
  };
  return {
    hashNow: (location: string, path: string) => count(path, real.hashNow(location, path)),
    hashWithContent: (location: string, path: string, most: number) =>
      count(path, real.hashWithContent(location, path, most)),
  };
});

vi.mock("../../src/files/hash-threads.ts", async (original) => {
  const real = await original<typeof threads>();
  const hashBeside: typeof threads.hashBeside = async (files, options) => {
    const ends = await real.hashBeside(files, options);
    for (const [i, end] of ends.entries())
      if ("digest" in end) hashed.push([end.digest, files[i]?.path ?? ""]);
    return ends;
  };
  return { ...real, hashBeside };
});

it("a build hashes every content once, and nothing when nothing changed", async () => {
  const project = new Project({
    "pipeline.yaml": `version: 1
rules:
  copy: { cmd: "{ echo copy; cat \${in}; } > \${out}", in: small.txt, out: copy.txt }
  pair: { cmd: "echo one > \${out}1; { echo two; head -c 9000000 \${in}; } > \${out}2", in: large.bin, out: pair/ }
  all: { cmd: "cat \${in.a} \${in.b}* \${in.c}a \${in.c}sub/b | cksum > \${out}", in: { a: copy.txt, b: pair/, c: tree/ }, out: all.txt }
`,
    "small.txt": "small\n",
    "tree/a": "a\n",
    "tree/sub/b": "b\n",
    "large.bin": "large\n",
  });
  truncateSync(project.path("large.bin"), 70 << 20);
  const build = async (): Promise<readonly string[]> => {
    await settle();
    hashed.length = 0;
    const { summary } = await project.build({ snapshot: { request: "all", since: Date.now() } });
    expect(summary.failed).toBe(0);
    const digests = hashed.map(([digest]) => digest);
    expect(hashed.filter(([digest], i) => digests.indexOf(digest) !== i)).toEqual([]);
    return hashed.map(([, path]) => path.replace(/^.*\/staging\/[^/]*\/\d+\/\d+\//, "made ")).sort();
  };
  expect(await build()).toEqual([
    "large.bin",
    "made all.txt",
    "made copy.txt",
    "made pair/1",
    "made pair/2",
    "small.txt",
    "tree/a",
    "tree/sub/b",
  ]);
  expect(await build()).toEqual([]);
  project.write("small.txt", "other\n");
  expect(await build()).toEqual(["made all.txt", "made copy.txt", "small.txt"]);
});

it("a dry run remembers the digests of large files, unless a build is running", async () => {
  const project = new Project({
    "pipeline.yaml": `version: 1
rules:
  head: { cmd: "head -c 9 \${in} > \${out}", in: large.bin, out: head.bin }
`,
    "large.bin": "",
  });
  const hashedBy = async (options: Options): Promise<readonly string[]> => {
    await settle();
    hashed.length = 0;
    await project.build(options);
    return hashed.map(([, path]) => path).filter((path) => path === "large.bin");
  };
  truncateSync(project.path("large.bin"), 50 << 20);
  expect(await hashedBy({ dryRun: true })).toEqual(["large.bin"]);
  expect(project.has("cache")).toBe(false);

  truncateSync(project.path("large.bin"), 70 << 20);
  const lock = await acquireLock(project.root, () => undefined);
  expect(await hashedBy({ dryRun: true })).toEqual(["large.bin"]);
  lock.release();
  expect(await hashedBy({ dryRun: true })).toEqual(["large.bin"]);
  expect(await hashedBy({ dryRun: true })).toEqual([]);
  expect(await hashedBy({})).toEqual([]);
});
