/**
 * The Python process that runs worker.py, one for all tasks of a worker of lq.
 *
 * Requests and replies are JSON frames on its stdin and stdout. Arrays pass through two files that only the two
 * processes have open: they are unlinked before the process starts, so that nothing stays behind whatever is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, readSync, statfsSync, unlinkSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interpreter, notUsable } from "./interpreter.ts";
import code from "./worker.py";

/** What results may depend on beside the params; part of a checkpoint's record. */
export interface Platform {
  readonly torch: string;
  readonly device: "cpu" | "cuda" | "mps";
  /** The card, or "CPU". */
  readonly name: string;
  readonly cuda?: string;
  readonly cudnn?: string;
  readonly driver?: string;
  /** Why the device that was asked for is not used. */
  readonly why?: string;
}

/** An array in the file that the worker reads. */
export interface Place {
  readonly at: number;
  readonly shape: readonly number[];
  readonly type: "float32" | "uint8";
}

type Reply = Readonly<Record<string, unknown>>;

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly progress: ((share: number) => void) | undefined;
}

/** Bytes of an array that pass at once. */
const CHUNK = 16 * 2 ** 20;
/** Bytes of shared memory that must be free; a container often has 64 MiB. */
const ENOUGH = 2 ** 30;
/** Lines of the worker's stderr that an error repeats. */
const LAST_LINES = 12;

export class PyTorch {
  readonly platform: Platform;
  readonly #child: ChildProcess;
  readonly #outgoing: number;
  readonly #incoming: number;
  readonly #pending: Pending[] = [];
  /** Reserved parts of the outgoing file: [start, end). The first is for chunks. */
  readonly #reserved: [number, number][] = [[0, CHUNK]];
  #names = 0;
  #stderr = "";
  #dead: Error | null = null;
  /** Ends when the chunk's place is free. */
  #chunk: Promise<unknown> = Promise.resolve();

  private constructor(python: string) {
    this.#outgoing = privateFile();
    this.#incoming = privateFile();
    ftruncateSync(this.#outgoing, CHUNK);
    writeFully(this.#incoming, new Uint8Array(CHUNK), 0);
    this.platform = { torch: "", device: "cpu", name: "" };
    this.#child = spawn(python, ["-c", code], {
      stdio: ["pipe", "pipe", "pipe", this.#outgoing, this.#incoming],
      // Without it, CUDA's matrix products are not deterministic.
      env: { ...process.env, CUBLAS_WORKSPACE_CONFIG: ":4096:8" },
    });
    this.#child.stdin?.on("error", () => undefined); // "close" says more
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-8192);
      process.stderr.write(chunk);
    });
    const frames = splitFrames((frame) => this.#receive(frame));
    this.#child.stdout?.on("data", frames);
    this.#child.once("error", (error) => this.#end(`it cannot be started (${error.message})`));
    this.#child.once("close", (exit, signal) => this.#end(signal ?? `exit code ${exit}`));
    this.#hold(false);
  }

  /** Throws an Error with two ways out if the interpreter has no PyTorch. */
  static async start(python: string, accelerator: boolean): Promise<PyTorch> {
    const worker = new PyTorch(python);
    try {
      const platform = await worker.request("hello", { accelerator });
      return Object.assign(worker, { platform });
    } catch (cause) {
      throw new Error(notUsable(python, worker.#stderr || (cause as Error).message), { cause });
    }
  }

  get alive(): boolean {
    return this.#dead === null;
  }

  /** A name that no other network or trainer has. */
  newName(): string {
    return `n${this.#names++}`;
  }

  /**
   * Sends a request and waits for its reply. An abort ends the process, because it does not listen while it computes.
   * Rejects with what went wrong there.
   */
  async request(
    op: string,
    body: Reply,
    { progress, signal }: { progress?: (share: number) => void; signal?: AbortSignal } = {},
  ): Promise<Reply> {
    if (this.#dead) throw this.#dead;
    signal?.throwIfAborted();
    const kill = () => this.#child.kill("SIGKILL");
    signal?.addEventListener("abort", kill, { once: true });
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.#pending.push({ resolve, reject, progress });
        this.#hold(true);
        const text = Buffer.from(JSON.stringify({ op, ...body }));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        this.#child.stdin?.write(Buffer.concat([length, text]));
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", kill);
    }
  }

  /** Bytes of the outgoing file for the caller alone, until `release`. Returns their start. */
  reserve(bytes: number): number {
    const size = Math.ceil(bytes / 64) * 64;
    let start = 0;
    for (const [first, end] of this.#reserved) {
      if (first - start >= size) break;
      start = end;
    }
    this.#reserved.push([start, start + size]);
    this.#reserved.sort(([a], [b]) => a - b);
    return start;
  }

  release(start: number): void {
    this.#reserved.splice(
      this.#reserved.findIndex(([first]) => first === start),
      1,
    );
  }

  /** Puts values at a reserved place, where the worker reads them. */
  write(at: number, shape: readonly number[], values: Float32Array | Uint8Array): Place {
    if (this.#dead) throw this.#dead;
    writeFully(this.#outgoing, values, at);
    return { at, shape, type: values instanceof Float32Array ? "float32" : "uint8" };
  }

  /** Copies an array to the worker, under a name. */
  put(name: string, shape: readonly number[], values: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      const step = CHUNK / 4;
      for (let start = 0; start < values.length; start += step) {
        const part = values.subarray(start, start + step);
        await this.request("put", { name, shape, start, chunk: this.write(0, [part.length], part) });
      }
    });
  }

  /** Copies an array of the worker into `target` and drops it there. */
  take(name: string, target: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      const step = CHUNK / 4;
      for (let start = 0; start < target.length; start += step) {
        const part = target.subarray(start, start + step);
        await this.request("take", { name, start, count: part.length });
        readFully(this.#incoming, part);
      }
    });
  }

  /** Ends the process. */
  close(): void {
    this.#child.stdin?.end();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#chunk.then(work);
    this.#chunk = done.catch(() => undefined);
    return done;
  }

  #receive(frame: Reply): void {
    if (typeof frame["progress"] === "number") {
      this.#pending[0]?.progress?.(frame["progress"]);
      return;
    }
    const pending = this.#pending.shift();
    if (this.#pending.length === 0) this.#hold(false);
    if (frame["ok"] !== undefined) pending?.resolve(frame["ok"] as Reply);
    else pending?.reject(errorOf(frame["error"] as WorkerError));
  }

  #end(how: string): void {
    if (this.#dead) return;
    closeSync(this.#outgoing);
    closeSync(this.#incoming);
    const lines = this.#stderr.trim().split("\n").slice(-LAST_LINES).join("\n  ");
    const killed = how === "SIGKILL" ? " (SIGKILL: was there too little memory?)" : ` (${how})`;
    this.#dead = new Error(
      `the process that runs PyTorch ended${killed}${lines && `; it printed last:\n  ${lines}`}`,
    );
    for (const { reject } of this.#pending.splice(0)) reject(this.#dead);
    this.#hold(false);
  }

  /** An idle worker does not keep Node alive. */
  #hold(busy: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    const pipes = [stdin, stdout, stderr].filter((each) => each instanceof Socket);
    for (const each of [this.#child, ...pipes]) {
      if (busy) each.ref();
      else each.unref();
    }
  }
}

interface WorkerError {
  readonly message: string;
  readonly memory: boolean;
  readonly trace: string;
}

function errorOf({ message, memory, trace }: WorkerError): Error {
  const advice = memory
    ? "\nIt needs less memory with a smaller batch or patch, or precision: amp; a task that has a share of a device can ask for a whole one (slots: { gpu: 1 })"
    : "";
  return new Error(`PyTorch: ${message}${advice}`, { cause: trace });
}

const workers = new Map<string, Promise<PyTorch>>();

/** The worker, started if there is none. `accelerator`: whether it may use the devices that the task sees. */
export async function pyTorch(accelerator: boolean): Promise<PyTorch> {
  const python = interpreter();
  const key = JSON.stringify([python, accelerator]);
  const known = await workers.get(key);
  if (known?.alive === true) return known;
  const starting = PyTorch.start(python, accelerator);
  workers.set(key, starting);
  starting.catch(() => workers.delete(key));
  return starting;
}

/** Calls `receive` with every frame that the chunks hold. */
function splitFrames(receive: (frame: Reply) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
      const end = 4 + rest.readUInt32LE(0);
      const frame = JSON.parse(rest.toString("utf8", 4, end)) as Reply;
      rest = rest.subarray(end);
      receive(frame);
    }
  };
}

/** A descriptor of an empty file without a name, in memory where there is enough. */
function privateFile(): number {
  const path = join(sharedMemory() ?? tmpdir(), `lq-${randomBytes(12).toString("hex")}`);
  const file = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return file;
}

function sharedMemory(): string | null {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= ENOUGH ? "/dev/shm" : null;
  } catch {
    return null;
  }
}

function writeFully(file: number, values: Float32Array | Uint8Array, at: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length;)
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
}

function readFully(file: number, values: Float32Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length;) done += readSync(file, bytes, done, bytes.length - done, done);
}
