import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Signature } from "../../src/files/signature.ts";
import type { DoneRecord } from "../../src/state/records.ts";
import { sha256 } from "../../src/system/digest.ts";

/** An empty project folder that lasts as long as the test. */
export function project(files: { readonly [path: string]: string } = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lq-test-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) write(root, path, text);
  return root;
}

export function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

export function signature(n: number): Signature {
  return { size: n, mtimeMs: 1000.25 + n, ctimeMs: 2000.5 + n, ino: 3000 + n };
}

/** A record of one file output and one directory output. */
export function done(id: string, n: number): DoneRecord {
  return {
    id,
    key: sha256(`key ${n}`),
    outputs: [
      { kind: "file", path: `out/${id}.txt`, digest: sha256(`file ${n}`), signature: signature(n) },
      {
        kind: "directory",
        path: `out/${id}/`,
        digest: sha256(`tree ${n}`),
        entries: [{ name: "part/é.bin", digest: sha256(`part ${n}`), signature: signature(n + 1) }],
      },
    ],
    seconds: n / 2,
    finished: 5000 + n,
    log: `cache/logs/${id}.log`,
  };
}
