/** Finds what all tasks of a rule share: code, packages, and the part of the environment that counts. */
import { join } from "node:path";
import { condaPackages } from "../environment/conda.ts";
import type { Environments } from "../environment/environments.ts";
import type { Disk } from "../files/disk.ts";
import type { FileDigests } from "../files/files.ts";
import { canonicalJson } from "../fingerprint/canonical.ts";
import type { Closure, CodeClosures } from "../fingerprint/code.ts";
import { UserError } from "../model/errors.ts";
import type { Rule } from "../model/model.ts";
import { sha256 } from "../system/digest.ts";
import type { Followed, FollowedCode } from "./follow.ts";

interface RuleCodeParts {
  readonly modules: Pick<CodeClosures, "closure">;
  readonly followed: Pick<FollowedCode, "follow">;
  readonly environments: Environments;
  readonly disk: Pick<Disk, "find">;
  readonly files: Pick<FileDigests, "digest">;
}

export interface Ran {
  /** Null: lq knows none. */
  readonly code: Closure | null;
  /** The part of the environment that counts, as texts. */
  readonly environment: readonly string[];
}

export class RuleCode {
  readonly #parts: RuleCodeParts;
  readonly #unknown = new Map<Rule, Followed["unknown"]>();

  constructor(parts: RuleCodeParts) {
    this.#parts = parts;
  }

  /** @throws UserError if code or an environment does not exist */
  async of(rule: Rule): Promise<Ran> {
    if (rule.action.kind === "run") {
      const code = await this.#parts.modules.closure(rule.action.module, rule.action.span);
      return { code, environment: [] };
    }
    return { code: await this.#code(rule), environment: this.#environment(rule) };
  }

  /** Places where the code of a rule may use other code that its text does not show. */
  unfollowed(rule: Rule): Followed["unknown"] {
    return this.#unknown.get(rule) ?? [];
  }

  async #code(rule: Rule): Promise<Closure | null> {
    const { action, code, packages, environment } = rule;
    const { environments, followed } = this.#parts;
    // If lq cannot know which packages are used, all installed packages count.
    const isWhole = code.length === 0 && packages;
    if (isWhole && environment.conda !== null) {
      const prefix = environments.of(rule).conda ?? "";
      // This folder changes with each package that is installed or removed.
      this.#parts.disk.find(join(prefix, "conda-meta"));
      return installedWithConda(prefix);
    }
    if (code.length === 0 && (!isWhole || environment.venv === null)) return null;
    const { closure, unknown } = await followed.follow({
      code,
      isScript: action.kind === "script",
      packages: isWhole ? "installed" : packages ? "imported" : "none",
      python: () => ({
        executable: environments.of(rule).python(),
        variables: environments.variablesOf(rule),
      }),
    });
    this.#unknown.set(rule, unknown);
    return closure;
  }

  #environment({ environment: { modules, container, setup } }: Rule): string[] {
    return [
      ...modules.map(({ value }) => `module ${value}`),
      ...(container === null ? [] : [`container ${this.#imageDigest(container)}`]),
      ...(setup?.counts === true ? [`setup ${setup.text}`] : []),
    ];
  }

  #imageDigest({ value, span }: NonNullable<Rule["environment"]["container"]>): string {
    const [, named] = /@sha256:([0-9a-f]{64})$/.exec(value) ?? [];
    const digest = named ?? this.#parts.files.digest(value);
    if (digest !== null) return digest;
    throw new UserError({ message: `there is no container image ${value}`, span });
  }
}

function installedWithConda(prefix: string): Closure {
  const packages = condaPackages(prefix);
  const text = canonicalJson(packages.map(({ name, version }) => [name, version]));
  return { digest: sha256(text), files: [], packages };
}
