/**
 * Finds the code that a script or a command runs: the files that its rule names, the project files that they load, and
 * the installed packages that they import.
 */
import { join, relative } from "node:path";
import type { Disk } from "../files/disk.ts";
import { canonicalJson } from "../fingerprint/canonical.ts";
import type { Closure, NoteMemo } from "../fingerprint/code.ts";
import { filesUnder } from "../fingerprint/tree.ts";
import { UserError, type Span } from "../model/errors.ts";
import { isWithin } from "../model/paths.ts";
import { sha256 } from "../system/digest.ts";
import { CodeFiles, type CodeFile, type Unknown } from "./files.ts";
import { ModuleFinder } from "./find-modules.ts";
import { ImportMeanings } from "./meaning.ts";
import {
  describePython,
  type Description,
  type Distribution,
  type PythonCommand,
} from "./python-environment.ts";

export interface CodeRequest {
  /** Files and folders, relative to the project; folders end in "/". */
  readonly code: readonly { readonly path: string; readonly span: Span }[];
  /** True: lq starts the first of them as a script. False: a command runs some of them. */
  readonly isScript: boolean;
  /** Which installed packages count. */
  readonly packages: "none" | "imported" | "installed";
  /** Called only if there is a Python file. @throws UserError if there is none */
  readonly python: () => PythonCommand;
}

export interface Followed {
  readonly closure: Closure;
  /** Places where the code may use other code that its text does not show. */
  readonly unknown: readonly (Unknown & { readonly file: string })[];
}

interface Python {
  readonly description: Description;
  readonly meanings: ImportMeanings;
}

export class FollowedCode {
  readonly #root: string;
  readonly #memo: NoteMemo;
  readonly #disk: Disk;
  readonly #finder: ModuleFinder;
  readonly #files: CodeFiles;
  readonly #descriptions = new Map<string, Promise<Description>>();
  /** How many requests are running. */
  #active = 0;

  /** @param root real path of the project */
  constructor(root: string, memo: NoteMemo, disk: Disk) {
    this.#root = root;
    this.#memo = memo;
    this.#disk = disk;
    this.#finder = new ModuleFinder(disk);
    this.#files = new CodeFiles(root, memo, disk);
  }

  /** @throws UserError if a file is not there or cannot be read, or if there is no Python */
  async follow(request: CodeRequest): Promise<Followed> {
    this.#active += 1;
    try {
      const entries = this.#entries(request);
      const asks = request.packages === "installed" || entries.some(isPython);
      const python = asks ? await this.#python(request, entries) : null;
      return await this.#walk(request, entries, python);
    } finally {
      this.#active -= 1;
      if (this.#active === 0) await this.#files.close();
    }
  }

  async #walk(
    { packages }: CodeRequest,
    entries: readonly string[],
    python: Python | null,
  ): Promise<Followed> {
    /** By absolute path; `by` is the file that loads it. */
    const found = new Map<string, { readonly by: string | null; readonly file: Promise<CodeFile> }>();
    const used = new Set<Distribution>();
    const nameOf = (file: string): string => this.#nameOf(file, python);
    const read = (file: string): Promise<CodeFile> =>
      python !== null && isPython(file)
        ? this.#files.python(file, nameOf(file), python.description)
        : Promise.resolve(this.#files.other(file, nameOf(file)));
    const add = (file: string, by: string | null): void => {
      if (found.has(file)) return;
      const reading = read(file);
      // The loop below awaits it in its turn, unless it finds an error in another file first.
      reading.catch(() => undefined);
      found.set(file, { by, file: reading });
    };
    for (const file of entries) add(file, null);
    // The loop also visits entries that are added to the map during the loop.
    for (const [path, { file }] of found) {
      const { loads, imports } = await file;
      for (const each of loads) add(each, path);
      for (const each of imports) {
        const meaning = python?.meanings.of(path, each);
        for (const module of meaning?.files ?? []) add(module, path);
        for (const distribution of meaning?.packages ?? []) used.add(distribution);
        const star = each.names.includes("*") ? meaning?.files.at(-1) : undefined;
        if (star === undefined) continue;
        const names = (await found.get(star)?.file)?.all ?? [];
        for (const module of python?.meanings.of(path, { ...each, names: [...names] }).files ?? [])
          add(module, path);
      }
    }
    const unknown: (Unknown & { readonly file: string })[] = [];
    const files: { path: string; digest: string; by?: string }[] = [];
    for (const [path, { by, file }] of found) {
      const { digest, unknown: own } = await file;
      files.push({ path: nameOf(path), digest, ...(by === null ? {} : { by: nameOf(by) }) });
      unknown.push(...own.map((each) => ({ file: nameOf(path), ...each })));
    }
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const versions = python === null ? [] : [{ name: "python", version: python.description.version }];
    if (python !== null && packages !== "none") {
      const { installed } = python.meanings;
      versions.push(...installed.versions(packages === "imported" ? used : installed.all));
    }
    const digest = sha256(
      canonicalJson([
        entries.map(nameOf),
        files.map((file) => [file.path, file.digest]),
        versions.map(({ name, version }) => [name, version]),
      ]),
    );
    return { closure: { digest, files, packages: versions }, unknown };
  }

  #entries({ isScript, code }: CodeRequest): string[] {
    const files = code.flatMap(({ path, span }) => {
      const place = join(this.#root, path);
      const stats = this.#disk.find(place.replace(/(.)\/$/, "$1"));
      if (path.endsWith("/") && stats?.isDirectory() === true)
        return filesUnder(this.#root, path, this.#disk)
          .filter((name) => !isPassedOver(name))
          .map((name) => place + name);
      if (!path.endsWith("/") && stats?.isFile() === true) return [place];
      const hint = stats?.isDirectory() === true ? `write ${path}/ to name the folder` : undefined;
      throw new UserError({ message: `there is no code ${path}`, span, ...(hint && { hint }) });
    });
    const around = isScript ? [] : files.flatMap((file) => this.#finder.packagesAround(file));
    return [...new Set([...files, ...around])];
  }

  async #python({ code, isScript, python }: CodeRequest, files: readonly string[]): Promise<Python> {
    const command = python();
    const name = JSON.stringify([command.executable, command.variables["PYTHONPATH"]]);
    let describing = this.#descriptions.get(name);
    if (describing === undefined) {
      describing = describePython(this.#root, command, this.#memo, this.#disk);
      this.#descriptions.set(name, describing);
    }
    const description = await describing;
    const folders = code.flatMap(({ path }) => (path.endsWith("/") ? [join(this.#root, path, ".")] : []));
    const named = { files, folders, isScript };
    return { description, meanings: new ImportMeanings(this.#root, description, this.#finder, named) };
  }

  /** Path relative to the project. For a package that is edited elsewhere, it is relative to the package's folder. */
  #nameOf(file: string, python: Python | null): string {
    if (isWithin(this.#root, file)) return relative(this.#root, file);
    const { distributions = [] } = python?.description ?? {};
    const owner = distributions.find(({ source }) => source !== null && isWithin(source, file));
    return owner?.source ? `${owner.name}:${relative(owner.source, file)}` : file;
  }
}

function isPython(file: string): boolean {
  return file.endsWith(".py");
}

/** Whether lq ignores this file: editors, version control and Python leave such files beside code. */
function isPassedOver(name: string): boolean {
  return /(^|\/)(\.|__pycache__\/|#)|~$|\.(swp|swo|tmp|bak|orig|rej|pyc|pyo)$|\.egg-info\/|(^|\/)4913$/.test(
    name,
  );
}
