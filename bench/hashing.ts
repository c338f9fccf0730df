/** Compares hashing a dataset whose digests are not known with sha256 of as many bytes in memory. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileDigests } from "../src/files/files.ts";
import { THREADS } from "../src/files/hash-threads.ts";
import { least, type Seconds } from "./lib/seconds.ts";

const MiB = 2 ** 20;
const NOBODY = { digestOf: () => undefined, rememberFile: () => undefined };
/** Number of files and bytes of each; every set has 1 GiB. */
const SETS = [
  ["volumes of 32 MiB", 32, 32 * MiB],
  ["slices of 128 KiB", 8192, MiB / 8],
] as const;

const root = mkdtempSync(join(tmpdir(), "lq-bench-"));
try {
  const inMemory = await least(3, () => {
    const hash = createHash("sha256");
    const chunk = Buffer.alloc(MiB, 1);
    for (let done = 0; done < 1024; done++) hash.update(chunk);
    return hash.digest("hex");
  });
  const print = (what: string, { wall, cpu }: Seconds): void => {
    const speed = (inMemory.wall / wall).toFixed(2);
    console.log(`| ${what} | ${wall.toFixed(2)} | ${(1 / wall).toFixed(2)} | ${cpu.toFixed(2)} | ${speed} |`);
  };
  console.log("| what | wall s | GiB/s | CPU s | speed ÷ that of one core |");
  console.log("| --- | --: | --: | --: | --: |");
  print("sha256 in memory, one core", inMemory);
  for (const [name, count, size] of SETS) {
    const paths = Array.from({ length: count }, (_, i) => `${count}-${i}`);
    for (const [i, path] of paths.entries()) writeFileSync(join(root, path), Buffer.alloc(size, i));
    print(`${name}, ${THREADS} threads`, await least(3, () => new FileDigests(root, NOBODY).prefetch(paths)));
    print(
      `${name}, one after the other`,
      await least(3, () => {
        const files = new FileDigests(root, NOBODY);
        for (const path of paths) files.digest(path);
      }),
    );
  }
} finally {
  rmSync(root, { recursive: true });
}
