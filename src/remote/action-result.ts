/**
 * Bazel's ActionResult, of which lq uses the list of output files: its action's own JSON, and all objects with their
 * sizes. Source: build/bazel/remote/execution/v2/remote_execution.proto of github.com/bazelbuild/remote-apis.
 */
import protobuf from "protobufjs/light.js";

export interface ListedFile {
  readonly path: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

const { ActionResult } = (() => {
  const root = protobuf.Root.fromJSON({
    nested: {
      Digest: { fields: { hash: { type: "string", id: 1 }, sizeBytes: { type: "int64", id: 2 } } },
      OutputFile: {
        fields: {
          path: { type: "string", id: 1 },
          digest: { type: "Digest", id: 2 },
          isExecutable: { type: "bool", id: 4 },
        },
      },
      ActionResult: {
        fields: { outputFiles: { rule: "repeated", type: "OutputFile", id: 2 } },
      },
    },
  });
  return { ActionResult: root.lookupType("ActionResult") };
})();

export function encodeActionResult(files: readonly ListedFile[]): Buffer {
  const outputFiles = files.map(({ path, digest, size, executable }) => ({
    path,
    digest: { hash: digest, sizeBytes: size },
    isExecutable: executable,
  }));
  return Buffer.from(ActionResult.encode({ outputFiles }).finish());
}

/** Null if these are not the bytes of an ActionResult, or of one that lists something impossible. */
export function decodeActionResult(bytes: Buffer): readonly ListedFile[] | null {
  const files: ListedFile[] = [];
  try {
    const result = ActionResult.toObject(ActionResult.decode(bytes), { longs: Number }) as Decoded;
    for (const { path = "", digest, isExecutable = false } of result.outputFiles ?? []) {
      const { hash = "", sizeBytes = 0 } = digest ?? {};
      if (!/^[0-9a-f]{64}$/.test(hash) || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return null;
      files.push({ path, digest: hash, size: sizeBytes, executable: isExecutable });
    }
  } catch {
    return null;
  }
  return files;
}

interface Decoded {
  readonly outputFiles?: readonly {
    readonly path?: string;
    readonly digest?: { readonly hash?: string; readonly sizeBytes?: number };
    readonly isExecutable?: boolean;
  }[];
}
