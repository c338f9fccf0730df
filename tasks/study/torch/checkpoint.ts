/**
 * Reads the files of PyTorch's `torch.save` and Python's `pickle.dump` as plain data and tensors, and executes nothing.
 * Formats: the zip of torch 1.6 and later, the older sequence of pickles, and plain pickles.
 * Reference: pytorch/pytorch torch/serialization.py and torch/_utils.py.
 */
import { open } from "node:fs/promises";
import { TruncatedError } from "./bytes.ts";
import { callPlain } from "./numpy.ts";
import { type Dialect, readPickle } from "./pickle.ts";
import { elementSize, type ElementType, readRange, Storage, Tensor } from "./tensor.ts";
import { Global, type Pickled } from "./values.ts";
import { readZipEntries, type ZipEntry } from "./zip.ts";

/** Size limit of a pickle in bytes. The tensors' bytes are not part of it. */
const maxPickle = 256 * 2 ** 20;

/**
 * The object in a checkpoint or pickle file. A tensor reads its bytes from the file only when `read` is called.
 * Throws an Error that names the file and says what is wrong with it.
 */
export async function readCheckpoint(path: string): Promise<Pickled> {
  try {
    const head = await readBytes(path, 0, 64);
    if (head.length === 0) throw new Error("the file is empty");
    refusePlaceholder(Buffer.from(head).toString("latin1"));
    if (head[0] === 0x50 && head[1] === 0x4b) return await readZipFormat(path);
    return await readPickleFormats(path);
  } catch (error) {
    throw new Error(`${path}: not a checkpoint that can be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Throws an Error for the start of a git-lfs pointer or of a web page: what a download gives that went wrong. */
export function refusePlaceholder(head: string): void {
  if (head.startsWith("version https://")) {
    throw new Error("it is a git-lfs pointer, not the file itself: run `git lfs pull` where it was cloned");
  }
  if (/^\s*<(!doctype|html)/i.test(head)) throw new Error("it is a web page: download the file again");
}

async function readZipFormat(path: string): Promise<Pickled> {
  const entries = await readZipEntries(path).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the zip is damaged or the download is not complete (${why}): download it again`, {
      cause,
    });
  });
  const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickleName === undefined) throw new Error("a zip without data.pkl, so torch.save did not write it");
  const root = pickleName.slice(0, -"data.pkl".length);
  const order = entries.get(`${root}byteorder`);
  if (order && Buffer.from(await readEntry(order)).toString("latin1") !== "little") {
    throw new Error("the tensors are big-endian");
  }
  const storages = new Map<string, Storage>();
  const dialect = torchDialect((type, key, length) => {
    let storage = storages.get(key);
    if (!storage) {
      const entry = entries.get(`${root}data/${key}`);
      if (!entry) throw new Error(`tensor bytes ${root}data/${key} are missing`);
      if ((entry.range.inflated ?? entry.range.length) < length * elementSize[type]) {
        throw new Error(`${root}data/${key} is shorter than its ${length} elements of ${type}`);
      }
      storage = new Storage(type, length, entry.range);
      storages.set(key, storage);
    }
    return storage;
  });
  return readPickle(await readEntry(entries.get(pickleName)!), dialect).value;
}

async function readEntry({ range }: ZipEntry): Promise<Uint8Array> {
  const length = range.inflated ?? range.length;
  if (length > maxPickle) throw new Error(`a pickle of ${length} bytes is too large`);
  return readRange(range, 0, length);
}

/** The older torch format begins with three pickles: this number, the version 1001, and facts about the machine. */
const legacyMagic = 0x1950a86a20f9469cfc6cn;

async function readPickleFormats(path: string): Promise<Pickled> {
  for (let size = 2 ** 20; ; size *= 8) {
    const data = await readBytes(path, 0, Math.min(size, maxPickle));
    try {
      return await parsePickleFormats(path, data);
    } catch (error) {
      // Read more only if the pickle itself is longer; the tensors that follow it may be large.
      if (!(error instanceof TruncatedError)) throw error;
      if (data.length < size)
        throw new Error(`${error.message}: the download is not complete`, { cause: error });
    }
  }
}

async function parsePickleFormats(path: string, data: Uint8Array): Promise<Pickled> {
  const storages = new Map<string, Storage>();
  const dialect = torchDialect((type, key, length) => {
    let storage = storages.get(key);
    if (!storage) storages.set(key, (storage = new Storage(type, length, null)));
    return storage;
  });
  const first = readPickle(data, dialect);
  if (first.value !== legacyMagic) return first.value;
  const version = readPickle(data, dialect, first.end);
  const machine = readPickle(data, dialect, version.end);
  const object = readPickle(data, dialect, machine.end);
  const keys = readPickle(data, dialect, object.end);
  if (!Array.isArray(keys.value)) throw new Error("the list of tensors is missing");
  let position = keys.end;
  for (const key of keys.value) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) throw new Error("the list of tensors contains one that nothing uses");
    const length = new DataView((await readBytes(path, position, 8)).buffer).getBigInt64(0, true);
    if (Number(length) !== storage.length)
      throw new Error(`a storage does not have the length that the pickle gives`);
    storage.bytes = { path, start: position + 8, length: storage.length * elementSize[storage.type] };
    position += 8 + storage.bytes.length;
  }
  return object.value;
}

async function readBytes(path: string, start: number, length: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, (await file.stat()).size - start)));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) throw new Error("the file shrank while it was read");
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

function torchDialect(storageOf: (type: ElementType, key: string, length: number) => Storage): Dialect {
  return {
    call: (name, args) => callTorch(name, args) ?? callPlain(name, args),
    persistent(id) {
      const [kind, type, key, , length, view] = Array.isArray(id) ? id : [];
      const element = type instanceof Global ? storageTypes[type.name] : undefined;
      if (kind !== "storage" || !element || typeof key !== "string" || !isLength(length)) {
        throw new Error("a reference to an object that is no torch storage");
      }
      if (view !== undefined && view !== null)
        throw new Error("storage views of torch before 0.4 are not read");
      return storageOf(element, key, length);
    },
  };
}

const storageTypes: Record<string, ElementType> = {
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  ShortStorage: "int16",
  IntStorage: "int32",
  LongStorage: "int64",
  BoolStorage: "bool",
  UntypedStorage: "uint8",
};

function callTorch(name: string, args: readonly Pickled[]): Pickled | undefined {
  switch (name) {
    case "torch._utils._rebuild_tensor":
    case "torch._utils._rebuild_tensor_v2": {
      const [storage, offset, shape, strides] = args;
      if (
        !(storage instanceof Storage) ||
        typeof offset !== "number" ||
        !isNumbers(shape) ||
        !isNumbers(strides)
      ) {
        throw new Error("a tensor without storage, offset, shape and strides");
      }
      return new Tensor(storage, offset, shape, strides);
    }
    case "torch._utils._rebuild_parameter":
    case "torch._utils._rebuild_parameter_with_state":
      return args[0];
    case "torch.Size":
      return Array.isArray(args[0]) ? args[0] : undefined;
    default:
      return undefined;
  }
}

function isLength(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isNumbers(value: Pickled | undefined): value is number[] {
  return Array.isArray(value) && value.every((n) => typeof n === "number");
}
