/** Finds the installed packages that imports load, and the packages that those require. */
import type { PackageVersion } from "../fingerprint/packages.ts";
import type { Description, Distribution } from "./python-environment.ts";
import type { PythonImport } from "./reader.ts";

export class InstalledPackages {
  readonly #byName: ReadonlyMap<string, Distribution>;
  readonly #byModule = new Map<string, Distribution[]>();

  constructor({ distributions }: Pick<Description, "distributions">) {
    this.#byName = new Map(distributions.map((each) => [each.name, each]));
    for (const each of distributions)
      for (const module of each.modules)
        this.#byModule.set(module, [...(this.#byModule.get(module) ?? []), each]);
  }

  /** The packages from which an import loads modules; none if no such package is installed. */
  meantBy({ module, names }: PythonImport): readonly Distribution[] {
    const found = [module, ...names.map((name) => `${module}.${name}`)].flatMap((name) => this.#owners(name));
    return [...new Set(found)];
  }

  /** @returns these packages and the installed packages that they require, sorted by name */
  versions(packages: Iterable<Distribution>): PackageVersion[] {
    const all = new Set(packages);
    // The loop also visits packages that are added during the loop.
    for (const { requires } of all)
      for (const name of requires) {
        const required = this.#byName.get(name);
        if (required !== undefined) all.add(required);
      }
    return [...all]
      .map(({ name, version }) => ({ name, version }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Everything that is installed. */
  get all(): Iterable<Distribution> {
    return this.#byName.values();
  }

  /** For `google.cloud.storage`: the packages that have this module, else those that have `google.cloud`, and so on. */
  #owners(name: string): readonly Distribution[] {
    const parts = name.split(".");
    for (let length = parts.length; length > 0; length--) {
      const owners = this.#byModule.get(parts.slice(0, length).join("."));
      if (owners !== undefined) return owners;
    }
    return [];
  }
}
