/**
 * A Python environment as its interpreter describes it (describe.py): its version, its path, and what is installed.
 *
 * lq remembers the description with the stat signatures of everything that it depends on: the interpreter, the folders
 * of its path, and the files in them that add further folders.
 */
import { execFile } from "node:child_process";
import { readdirSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { promisify } from "node:util";
import * as z from "zod/mini";
import type { Disk } from "../files/disk.ts";
import { isRacy, signatureOf } from "../files/signature.ts";
import type { NoteMemo } from "../fingerprint/code.ts";
import { UserError } from "../model/errors.ts";
import { isWithin } from "../model/paths.ts";
import { installation } from "../system/installation.ts";

export type Description = z.infer<typeof Description>;

export type Distribution = Description["distributions"][number];

const Description = z.object({
  /** "3.11" */
  version: z.string(),
  /** Absolute path of the real interpreter, behind names and shims. */
  executable: z.string(),
  prefix: z.string(),
  /** Folders in which Python looks for imports, without the script's folder. */
  path: z.array(z.string()),
  /** Modules of the standard library. */
  standard: z.array(z.string()),
  /** The packages that are installed. */
  distributions: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      requires: z.array(z.string()),
      /** "numpy"; for a namespace package, the modules inside it. */
      modules: z.array(z.string()),
      /** Folder of the code, for an editable installation. */
      source: z.nullable(z.string()),
    }),
  ),
});

const Remembered = z.object({
  version: z.literal(1),
  description: Description,
  stamps: z.array(z.tuple([z.string(), z.string()])),
});

/** Files that tell pyenv, asdf and mise which interpreter `python3` means. */
const CHOOSERS = [".python-version", ".tool-versions"];

export interface PythonCommand {
  /** Absolute path of the interpreter. */
  readonly executable: string;
  /** Variables of the environment that its tasks run in. */
  readonly variables: { readonly [name: string]: string | undefined };
}

/** @throws UserError if it cannot be run */
export async function describePython(
  root: string,
  { executable, variables }: PythonCommand,
  memo: NoteMemo,
  disk: Disk,
): Promise<Description> {
  const pythonPath = (variables["PYTHONPATH"] ?? "").split(":").filter((folder) => folder !== "");
  const folders = pythonPath.map((folder) => (folder.startsWith("/") ? folder : join(root, folder)));
  const note = `python:${JSON.stringify([executable, folders, variables["PYENV_VERSION"], variables["PYTHONNOUSERSITE"]])}`;
  const json = memo.note(note);
  const known = json === undefined ? undefined : Remembered.safeParse(JSON.parse(json)).data;
  if (known?.stamps.every(([path, stamp]) => stampOf(disk, path) === stamp)) return known.description;

  const since = Date.now();
  const description = await ask(root, executable, folders, variables);
  const paths = [...new Set(watched(root, executable, description))];
  const stamps = paths.map((path): [string, string] => [path, stampOf(disk, path)]);
  const isYoung = paths.some((path) => {
    const stats = disk.find(path);
    return stats !== undefined && isRacy(signatureOf(stats), since);
  });
  if (!isYoung) memo.rememberNote(note, JSON.stringify({ version: 1, description, stamps }));
  return description;
}

async function ask(
  root: string,
  executable: string,
  folders: readonly string[],
  variables: PythonCommand["variables"],
): Promise<Description> {
  const script = join(installation(), "src/followed/describe.py");
  try {
    const { stdout } = await promisify(execFile)(executable, ["-I", script, JSON.stringify(folders)], {
      cwd: root,
      env: variables,
      maxBuffer: 1 << 28,
    });
    return Description.parse(JSON.parse(stdout));
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    const why = stderr.trim().split("\n").at(-1) || (error as Error).message;
    throw new UserError({
      message: `the Python ${executable} cannot describe its environment: ${why}`,
      hint: "lq follows code with Python 3.8 or later; name another with environment: { python: … }",
    });
  }
}

function watched(root: string, executable: string, { path, prefix }: Description): string[] {
  const choosers: string[] = [];
  if (isShim(executable))
    for (let folder = root; ; folder = dirname(folder)) {
      choosers.push(...CHOOSERS.map((name) => join(folder, name)));
      if (folder === dirname(folder)) break;
    }
  // Folders of the project do not show what is installed, and they change with each output.
  const installed = path.filter((folder) => isWithin(prefix, folder) || !isWithin(root, folder));
  const own = [executable, real(executable), join(prefix, "pyvenv.cfg")];
  return [...own, ...choosers, ...installed.flatMap(withPathFiles)];
}

/** A folder with the files that add folders to the path. */
function withPathFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".pth"));
    return [folder, ...names.map((name) => join(folder, name))];
  } catch {
    return [folder];
  }
}

function isShim(executable: string): boolean {
  return executable.split(sep).includes("shims");
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function stampOf(disk: Disk, path: string): string {
  const stats = disk.find(path);
  return stats === undefined ? "" : `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`;
}
