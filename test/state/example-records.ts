/** Records for tests of the state log and of recording. */
import type { Signature } from "../../src/files/signature.ts";
import type { DoneRecord } from "../../src/state/records.ts";
import { sha256 } from "../../src/system/digest.ts";

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
