/** Finds the project's files that a Python import means, by the rules of Python's own path finder. */
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Disk } from "../files/disk.ts";
import type { PythonImport } from "./reader.ts";

export interface Found {
  /** Absolute paths of the module, of the packages around it, and of submodules that are imported by name. */
  readonly files: readonly string[];
  /** Whether the outermost name belongs to the project, even if only as a folder. */
  readonly isProject: boolean;
}

const NOTHING: Found = { files: [], isProject: false };

export class ModuleFinder {
  readonly #disk: Disk;
  readonly #kinds = new Map<string, "file" | "folder" | null>();
  readonly #packages = new Map<string, boolean>();

  /** @param disk gets a question about every place where a new file would change an answer */
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /**
   * Finds a module that lies in one of these folders, or a package with an `__init__.py`.
   * @param folders absolute, in the order of Python's path
   */
  regular(folders: readonly string[], { module, names }: PythonImport): Found {
    const head = headOf(module);
    for (const folder of folders)
      if (this.#regularIn(folder, head) !== null) return this.#walk([folder], module.split("."), names);
    return NOTHING;
  }

  /** Finds a package without `__init__.py`, whose parts may lie in several folders. */
  namespace(folders: readonly string[], { module, names }: PythonImport): Found {
    const head = headOf(module);
    const parts = folders.filter((folder) => this.#kind(join(folder, head)) === "folder");
    return parts.length === 0 ? NOTHING : this.#walk(parts, module.split("."), names);
  }

  /** Finds the files of an import that begins with dots. */
  relative(file: string, { module, level, names }: PythonImport): Found {
    let folder = dirname(file);
    for (let above = 1; above < level; above++) folder = dirname(folder);
    const own = join(folder, INIT);
    const { files } = this.#walk([folder], module === "" ? [] : module.split("."), names);
    return { files: this.#kind(own) === "file" ? [own, ...files] : files, isProject: true };
  }

  /** The `__init__.py` of each package around a file, up to the outermost. */
  packagesAround(file: string): string[] {
    const files: string[] = [];
    for (let folder = dirname(file); this.#kind(join(folder, INIT)) === "file"; folder = dirname(folder))
      files.push(join(folder, INIT));
    return files;
  }

  #walk(folders: readonly string[], parts: readonly string[], names: readonly string[]): Found {
    const files: string[] = [];
    let inside = folders;
    for (const part of parts) {
      const next = this.#step(inside, part);
      if (next.file !== null) files.push(next.file);
      inside = next.inside;
    }
    for (const name of names) {
      const { file } = this.#step(inside, name);
      if (file !== null) files.push(file);
    }
    return { files, isProject: true };
  }

  /** @returns the file of a name in these folders, and the folders with the modules below that name */
  #step(folders: readonly string[], name: string): { file: string | null; inside: readonly string[] } {
    for (const folder of folders) {
      const file = this.#regularIn(folder, name);
      if (file !== null) return { file, inside: file.endsWith(`/${INIT}`) ? [dirname(file)] : [] };
    }
    const inside = folders.map((folder) => join(folder, name));
    return { file: null, inside: inside.filter((folder) => this.#kind(folder) === "folder") };
  }

  #regularIn(folder: string, name: string): string | null {
    // The "*" of an import is not a name, so no file has it.
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) return null;
    const inner = join(folder, name);
    if (this.#kind(inner) === "folder" && this.#kind(join(inner, INIT)) === "file") return join(inner, INIT);
    return this.#kind(`${inner}.py`) === "file" ? `${inner}.py` : null;
  }

  #kind(path: string): "file" | "folder" | null {
    let kind = this.#kinds.get(path);
    if (kind === undefined) {
      kind = kindAt(path);
      this.#kinds.set(path, kind);
      if (kind === null) this.#disk.peek(this.#isPackage(dirname(path)) ? dirname(path) : path);
    }
    return kind;
  }

  /** Ask about a package's folder as a whole: new files in it are code, and outputs do not lie there. */
  #isPackage(folder: string): boolean {
    let isPackage = this.#packages.get(folder);
    if (isPackage === undefined) {
      isPackage = kindAt(join(folder, INIT)) === "file";
      this.#packages.set(folder, isPackage);
    }
    return isPackage;
  }
}

/** Does not ask `disk`: lq tells it about files when it reads them, and `__pycache__` changes folders. */
function kindAt(path: string): "file" | "folder" | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? "file" : stats?.isDirectory() === true ? "folder" : null;
  } catch {
    // Python finds nothing in a loop of links or in a folder without permission either.
    return null;
  }
}

const INIT = "__init__.py";

function headOf(module: string): string {
  return module.split(".")[0] ?? "";
}
