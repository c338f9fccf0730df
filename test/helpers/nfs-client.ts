/** An environment in which a folder behaves for lq like one on NFS: compiles nfs-client.c and checks that it works. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export type Fault = "replay" | "soft" | "late" | "silly" | "estale" | "nolink" | "cached" | "skewed";

export interface Manners {
  /** Absolute path of the folder that is on the server. */
  readonly folder: string;
  readonly faults: readonly Fault[];
  readonly seed?: number;
  /** Left out: each time. */
  readonly oneIn?: number;
  /** A system call, and a part of its path. */
  readonly only?: string;
  readonly most?: number;
  /** File with what a client caches, for all its processes. */
  readonly client?: string;
  /** How long the client caches. */
  readonly milliseconds?: number;
  /** Seconds by which the server's clock is ahead. */
  readonly skew?: number;
  /** File to which each fault is logged. */
  readonly log?: string;
}

/** The compiled library; null, with a printed reason, if it cannot be compiled. */
export const NFS_CLIENT = compile();

export function mannersOf({ folder, faults, ...rest }: Manners): NodeJS.ProcessEnv {
  const { seed = 1, oneIn = 1, only, most, client, milliseconds = 200, skew = 0, log } = rest;
  return {
    LD_PRELOAD: NFS_CLIENT ?? "",
    NFS_FOLDER: folder,
    NFS_FAULTS: faults.join(),
    NFS_SEED: String(seed),
    NFS_ONE_IN: String(oneIn),
    NFS_SKEW: String(skew),
    NFS_CACHED_MS: String(milliseconds),
    ...(only === undefined ? {} : { NFS_ONLY: only }),
    ...(most === undefined ? {} : { NFS_MOST: String(most) }),
    ...(client === undefined ? {} : { NFS_CLIENT: client }),
    ...(log === undefined ? {} : { NFS_LOG: log }),
  };
}

function compile(): string | null {
  if (process.platform !== "linux") return skip("this is not Linux");
  const folder = mkdtempSync(join(tmpdir(), "lq-nfs-client-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const source = fileURLToPath(new URL("nfs-client.c", import.meta.url));
  const library = join(folder, "nfs-client.so");
  const { status, stderr } = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
  if (status !== 0) return skip(`there is no C compiler for glibc ${String(stderr ?? "")}`);
  const env = {
    ...process.env,
    LD_PRELOAD: library,
    NFS_FOLDER: folder,
    NFS_FAULTS: "replay",
    NFS_ONE_IN: "1",
  };
  const tried = spawnSync(process.execPath, ["-e", `fs.mkdirSync("${folder}/x")`], { env });
  return String(tried.stderr).includes("EEXIST") ? library : skip("Node cannot be preloaded with a library");
}

function skip(why: string): null {
  console.log(`skipped, what needs the manners of NFS: ${why}`);
  return null;
}
