/** Finds out on a node whether inputs are still what the driver saw. */
import { Disk } from "../files/disk.ts";
import { FileDigests, type FileMemo } from "../files/files.ts";
import { Ignore } from "../files/ignore.ts";
import { sameSignature } from "../files/signature.ts";
import { Fingerprinter } from "../fingerprint/fingerprint.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import { ToolVersions } from "../fingerprint/tools.ts";
import type { Pack } from "./pack.ts";

export class InputCheck {
  readonly #parts: Pick<Pack, "root" | "ignore" | "signatures" | "ignored">;
  /** Digests of the inputs, by path. */
  readonly #digests = new Map<string, string>();

  constructor({ root, ignore, signatures, ignored, tasks }: Pack) {
    this.#parts = { root, ignore, signatures, ignored };
    for (const { recipe } of tasks)
      for (const { path, digest, entries } of recipe.inputs)
        for (const each of entries ?? [{ name: "", digest }])
          this.#digests.set(path + each.name, each.digest);
  }

  /** The inputs that differ at this moment from what the recipe says. Each call looks at the disk again. */
  readonly changed = (recipe: Recipe): Promise<string[]> => {
    const { root, ignore, signatures, ignored } = this.#parts;
    const memo: FileMemo = {
      digestOf: (path, signature) =>
        sameSignature(signatures.get(path) ?? null, signature) ? this.#digests.get(path) : undefined,
      rememberFile: () => undefined,
    };
    const files = new FileDigests(root, memo, new Disk(new Ignore(root, ignore)));
    for (const { path, entries, names } of recipe.inputs)
      if (names === undefined) for (const each of entries ?? [{ name: "" }]) see(files, path + each.name);
    const fingerprinter = new Fingerprinter({
      ...{ root, files },
      graph: { outputsUnder: () => [], makes: (path) => this.#digests.has(path) },
      writings: { isLeftover: (path) => ignored.has(path) },
      ruleCode: { of: () => Promise.reject(new Error("a node computes no keys")) },
      tools: new ToolVersions(root),
      environment: {},
    });
    return fingerprinter.changedInputs(recipe);
  };
}

/** A file with the driver's signature is then not read. */
function see(files: FileDigests, path: string): void {
  files.digest(path);
}
