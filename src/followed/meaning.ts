/** Says what a Python import means in a project: files to follow, installed packages, or nothing that counts. */
import { dirname, join } from "node:path";
import { isWithin } from "../model/paths.ts";
import type { ModuleFinder } from "./find-modules.ts";
import { InstalledPackages } from "./packages.ts";
import type { Description, Distribution } from "./python-environment.ts";
import type { PythonImport } from "./reader.ts";

export interface Meaning {
  /** Absolute paths, the module itself before its submodules. */
  readonly files: readonly string[];
  readonly packages: readonly Distribution[];
}

/** The module through which a script asks lq for its task. It is in no key, like lq's API for TypeScript. */
const OWN = "lq";

const NOTHING: Meaning = { files: [], packages: [] };

export class ImportMeanings {
  readonly installed: InstalledPackages;
  readonly #finder: ModuleFinder;
  readonly #standard: ReadonlySet<string>;
  /** Folders of the project that are on Python's path, absolute. */
  readonly #own: readonly string[];
  /** Folders that code often adds to its path. */
  readonly #last: readonly string[];

  /**
   * @param root real path of the project
   * @param files absolute paths of the code that the rule names
   * @param folders absolute paths of the folders that it names
   * @param isScript whether Python starts with the first of the files; otherwise the first file is unknown
   */
  constructor(
    root: string,
    description: Description,
    finder: ModuleFinder,
    code: {
      readonly files: readonly string[];
      readonly folders: readonly string[];
      readonly isScript: boolean;
    },
  ) {
    const { prefix, path, distributions, standard } = description;
    this.installed = new InstalledPackages(description);
    this.#finder = finder;
    this.#standard = new Set(standard);
    this.#last = [root, join(root, "src")];
    const inProject = path.filter((folder) => isWithin(root, folder) && !isWithin(prefix, folder));
    const editable = distributions.flatMap(({ source }) => (source ? [source, join(source, "src")] : []));
    const [script] = code.files;
    // A command may run code as `python -m`, which begins in the project's folder.
    const beside =
      code.isScript && script !== undefined
        ? [dirname(script)]
        : [...this.#last, ...code.files.map((file) => dirname(file))];
    this.#own = [...new Set([...beside, ...code.folders, ...inProject, ...editable])];
  }

  /** @param file that has the import */
  of(file: string, each: PythonImport): Meaning {
    const finder = this.#finder;
    if (each.level > 0) return { ...finder.relative(file, each), packages: [] };
    const [head = ""] = each.module.split(".");
    if (head === OWN) return NOTHING;
    const regular = finder.regular(this.#own, each);
    if (regular.isProject) return { files: regular.files, packages: [] };
    if (this.#standard.has(head)) return NOTHING;
    const packages = this.installed.meantBy(each).filter(({ source }) => source === null);
    if (packages.length > 0) return { files: [], packages };
    const added = finder.regular(this.#last, each);
    const { files } = added.isProject ? added : finder.namespace([...this.#own, ...this.#last], each);
    return { files, packages: [] };
  }
}
