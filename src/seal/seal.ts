/**
 * A seal: everything that a build asked the disk when it found that all tasks of its request are fresh, and what
 * it was told. While the answers are the same, so is the finding; nothing need be read, expanded or compared.
 *
 *     "lqsl" version   u32 crc32 of all that follows   u32 bytes of head   head   padding to 8
 *     f64 × 4 a path: size, mtime, ctime, inode (size -1: nothing there)   the paths, NUL between them
 *
 * little-endian. The head is JSON: the request, how many tasks it covers, digests of the environment variables
 * that are part of keys, how many paths. A seal of another version, or a damaged one, is as good as none. There
 * is one a project, of the last such build.
 *
 * Rejected: a stored graph that builds start from (it would have to be checked against the pipeline as well, and
 * reading it back costs nearly what making it does); watching by a daemon (another process to trust).
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { sha256 } from "../fingerprint/digest.ts";
import type { Signature } from "../signature.ts";
import { absolute } from "../fingerprint/paths.ts";
import { SEAL } from "../record/layout.ts";

export interface Seal {
  /** What was asked for, as `sealedTasks` is to be asked. */
  readonly request: string;
  readonly tasks: number;
  /** Names of the environment variables that the finding depends on. */
  readonly environment: readonly string[];
  /** Relative to the project or absolute; null for nothing there. */
  readonly paths: Iterable<readonly [path: string, Signature | null]>;
}

type Environment = { readonly [name: string]: string | undefined };

interface Head {
  readonly request: string;
  readonly tasks: number;
  readonly environment: readonly (readonly [name: string, digest: string])[];
  readonly paths: number;
}

const MAGIC = Buffer.from("lqsl\x01");
const FIXED = 16;
const NUMBERS = 4;
const ABSENT = -1;

/** To be called by the holder of the project's lock. */
export function writeSeal(root: string, seal: Seal, environment: Environment): void {
  const paths: string[] = [];
  const numbers: number[] = [];
  for (const [path, signature] of seal.paths) {
    paths.push(path);
    if (signature === null) numbers.push(ABSENT, 0, 0, 0);
    else numbers.push(signature.size, signature.mtimeMs, signature.ctimeMs, signature.ino);
  }
  const head: Head = {
    request: seal.request,
    tasks: seal.tasks,
    environment: seal.environment.map((name) => [name, digestOf(environment[name])]),
    paths: paths.length,
  };
  const json = Buffer.from(JSON.stringify(head));
  const padding = Buffer.alloc(-json.length & 7);
  const body = Buffer.concat([
    json,
    padding,
    new Uint8Array(Float64Array.from(numbers).buffer),
    Buffer.from(paths.join("\0")),
  ]);
  const fixed = Buffer.alloc(FIXED);
  MAGIC.copy(fixed);
  fixed.writeUInt32LE(json.length, 12);
  fixed.writeUInt32LE(crc32(body, json.length), 8);
  const file = join(root, SEAL);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.tmp`, Buffer.concat([fixed, body]));
  renameSync(`${file}.tmp`, file);
}

/** How many tasks the request covers, if all of them are known to be fresh; null: that is to be found out. */
export function sealedTasks(root: string, request: string, environment: Environment): number | null {
  const seal = readSeal(join(root, SEAL));
  if (seal === null || seal.head.request !== request) return null;
  const { head, numbers, paths } = seal;
  if (head.environment.some(([name, digest]) => digestOf(environment[name]) !== digest)) return null;
  for (const [i, path] of paths.entries())
    if (!isSame(absolute(root, path), numbers, i * NUMBERS)) return null;
  return head.tasks;
}

function readSeal(
  file: string,
): { readonly head: Head; readonly numbers: Float64Array; readonly paths: readonly string[] } | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return null;
  }
  if (bytes.length < FIXED || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const length = bytes.readUInt32LE(12);
  if (crc32(bytes.subarray(FIXED), length) !== bytes.readUInt32LE(8)) return null;
  const head = JSON.parse(bytes.toString("utf8", FIXED, FIXED + length)) as Head;
  const start = FIXED + length + (-length & 7);
  const end = start + head.paths * NUMBERS * Float64Array.BYTES_PER_ELEMENT;
  const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + end));
  return { head, numbers, paths: bytes.toString("utf8", end).split("\0") };
}

function isSame(path: string, numbers: Float64Array, at: number): boolean {
  const stats = statOrNothing(path);
  if (stats === undefined) return numbers[at] === ABSENT;
  return (
    stats.size === numbers[at] &&
    stats.mtimeMs === numbers[at + 1] &&
    stats.ctimeMs === numbers[at + 2] &&
    stats.ino === numbers[at + 3]
  );
}

function statOrNothing(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The values themselves may be secrets. */
function digestOf(value: string | undefined): string {
  return value === undefined ? "" : sha256(value);
}
