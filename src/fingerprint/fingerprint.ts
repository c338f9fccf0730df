/** Computes the recipe and the key of a task whose inputs are known. */
import { commandTemplate, filledParams, pathsOfRole, renderCommand } from "./render-command.ts";
import { ancestors } from "../model/paths.ts";
import type { Rule, Task, TaskPath } from "../model/model.ts";
import type { Closure } from "./code.ts";
import type { FileDigests } from "../files/files.ts";
import { isIgnoredBy } from "../files/ignore.ts";
import { keyOf, RECIPE_FORMAT, type Recipe, type RecipeAction, type RecipeInput } from "./recipe.ts";
import type { ToolVersions } from "./tools.ts";
import {
  coveredFiles,
  namesDigest,
  treeDigest,
  type Producers,
  type TreeEntry,
  type Writings,
} from "./tree.ts";

export type Fingerprint =
  | { readonly kind: "ready"; readonly key: string; readonly recipe: Recipe }
  /** Inputs that are not there. */
  | { readonly kind: "missing"; readonly paths: readonly string[] };

/**
 * Content that is known but not on the disk, such as outputs of a restorable task, by the output's path. For a
 * directory it has the entries.
 */
export type KnownOutputs = (
  path: string,
) => { readonly digest: string; readonly entries?: readonly TreeEntry[] } | undefined;

/** Facts that all tasks of a rule share. */
interface RuleFacts {
  /** The code that lq can follow. */
  readonly code: Closure | null;
  /** The part of its environment that counts, as texts. */
  readonly environment: readonly string[];
  readonly tools: { readonly [command: string]: string };
}

const NOTHING_KNOWN: KnownOutputs = () => undefined;
const NO_ENVIRONMENT = {};

export interface FingerprinterParts {
  readonly root: string;
  readonly graph: Producers;
  readonly files: FileDigests;
  readonly writings: Writings;
  readonly ruleCode: { of(rule: Rule): Promise<Omit<RuleFacts, "tools">> };
  readonly tools: ToolVersions;
  readonly environment: { readonly [name: string]: string | undefined };
}

export class Fingerprinter {
  readonly #parts: FingerprinterParts;
  readonly #rules = new Map<Rule, RuleFacts>();

  constructor(parts: FingerprinterParts) {
    this.#parts = parts;
  }

  /** Reads the code of rules and asks their tools. Await this before `fingerprint` gets a task of these rules. */
  async prepare(rules: Iterable<Rule>): Promise<void> {
    const { ruleCode, tools } = this.#parts;
    await Promise.all(
      [...new Set(rules)].map(async (rule) => {
        if (this.#rules.has(rule)) return;
        const answers = await Promise.all(rule.tools.map((command) => tools.ask(command)));
        this.#rules.set(rule, {
          ...(await ruleCode.of(rule)),
          tools: Object.fromEntries(rule.tools.map((command, i) => [command, answers[i] ?? ""])),
        });
      }),
    );
  }

  /** @throws UserError for an input that is there but cannot be read */
  fingerprint(task: Task, known: KnownOutputs = NOTHING_KNOWN): Fingerprint {
    const rule = this.#rules.get(task.rule);
    if (rule === undefined) throw new Error(`rule ${task.rule.name} was not prepared`);
    const missing: string[] = [];
    const inputs = task.inputs.map((input) => this.#input(input, known, missing));
    if (missing.length > 0) return { kind: "missing", paths: missing };
    const recipe: Recipe = {
      format: RECIPE_FORMAT,
      action: actionOf(task, rule.code),
      inputs,
      outputs: task.outputs.map(({ role, path }) => ({ role, path })),
      params: task.params,
      env: this.#env(task),
      tools: rule.tools,
      ...(rule.environment.length > 0 && { environment: rule.environment }),
    };
    return { kind: "ready", key: keyOf(recipe), recipe };
  }

  /**
   * Finds the inputs that now differ from the recipe. An input whose signature changed but whose content is the same
   * does not differ. It also forgets what this build knew about changed files.
   */
  async changedInputs(recipe: Recipe): Promise<string[]> {
    const { root, graph, files, writings } = this.#parts;
    const moved = new Set<string>();
    for (const { path, digest, entries, names, ignore } of recipe.inputs) {
      const read = entries?.map((entry) => ({ path: path + entry.name, digest: entry.digest }));
      if (names === undefined)
        for (const file of await files.changed(read ?? [{ path, digest }])) moved.add(file);
      const before = names ?? entries?.map(({ name }) => name);
      if (before === undefined) continue;
      const covered = coveredFiles(root, graph, writings, path, files.disk);
      const now = withoutIgnored(covered, ignore);
      // Both lists are sorted, and are usually equal.
      if (now.length === before.length && now.every((name, i) => name === before[i])) continue;
      const gone = new Set(before);
      for (const name of now) if (!gone.delete(name)) moved.add(path + name);
      for (const name of gone) moved.add(path + name);
    }
    if (moved.size > 0) files.forget(moved);
    return [...moved];
  }

  #input({ role, path, names: only, ignore }: TaskPath, known: KnownOutputs, missing: string[]): RecipeInput {
    if (!path.endsWith("/")) {
      const digest = this.#fileDigest(path, known);
      if (digest === null) missing.push(path);
      return { role, path, digest: digest ?? "" };
    }
    const ignoring = ignore && { ignore };
    const given = known(path) && this.#counted(path, known(path)?.entries);
    if (only) {
      const all = given?.map(({ name }) => name) ?? this.#names(path, known);
      const names = withoutIgnored(all, ignore);
      // A folder without a name gives a task nothing to read: it counts as not there.
      if (names.length === 0) missing.push(path);
      return { role, path, digest: namesDigest(names), names, ...ignoring };
    }
    const counts = ({ name }: Pick<TreeEntry, "name">): boolean =>
      ignore === undefined || !isIgnoredBy(ignore, name);
    const entries = given?.filter(counts) ?? this.#tree(path, known, counts, missing);
    return { role, path, digest: treeDigest(entries), entries, ...ignoring };
  }

  #fileDigest(path: string, known: KnownOutputs): string | null {
    if (known === NOTHING_KNOWN) return this.#parts.files.digest(path);
    const given = known(path);
    if (given !== undefined) return given.digest;
    for (const dir of ancestors(path)) {
      const tree = known(dir);
      if (tree !== undefined) return tree.entries?.find(({ name }) => dir + name === path)?.digest ?? null;
    }
    return this.#parts.files.digest(path);
  }

  #tree(
    dir: string,
    known: KnownOutputs,
    counts: (entry: Pick<TreeEntry, "name">) => boolean,
    missing: string[],
  ): TreeEntry[] {
    const { inOutputs, others } = this.#covered(dir, known);
    const entries = inOutputs.filter(counts);
    for (const name of others) {
      if (!counts({ name })) continue;
      const path = dir + name;
      const digest = known(path)?.digest ?? this.#parts.files.digest(path);
      if (digest === null) missing.push(path);
      else entries.push({ name, digest });
    }
    return inOutputs.length === 0 ? entries : entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #names(dir: string, known: KnownOutputs): string[] {
    const { inOutputs, others } = this.#covered(dir, known);
    return [...inOutputs.map(({ name }) => name), ...others].sort();
  }

  /**
   * What a directory input covers: the content of known directory outputs that are not on the disk yet (files in their
   * place do not count), and the names of all other files.
   */
  #covered(dir: string, known: KnownOutputs): { readonly inOutputs: TreeEntry[]; readonly others: string[] } {
    const { root, graph, files, writings } = this.#parts;
    const all = coveredFiles(root, graph, writings, dir, files.disk);
    if (known === NOTHING_KNOWN) return { inOutputs: [], others: all };
    const given = [...graph.outputsUnder(dir)].filter(
      (path) => path.endsWith("/") && known(path) !== undefined,
    );
    const inOutputs = given.flatMap((output) =>
      this.#counted(output, known(output)?.entries).map(({ name, digest }) => {
        return { name: output.slice(dir.length) + name, digest };
      }),
    );
    const others = all.filter((name) => !given.some((output) => (dir + name).startsWith(output)));
    return { inOutputs, others };
  }

  /** Those entries of a folder that count. */
  #counted(folder: string, entries: readonly TreeEntry[] = []): readonly TreeEntry[] {
    const { ignore } = this.#parts.files.disk;
    return entries.filter(({ name }) => !ignore.covers(folder, name));
  }

  #env({ env }: Task): { readonly [name: string]: string | null } {
    if (Object.keys(env).length === 0) return NO_ENVIRONMENT;
    const values: { [name: string]: string | null } = {};
    for (const [name, value] of Object.entries(env))
      values[name] = value ?? this.#parts.environment[name] ?? null;
    return values;
  }
}

function withoutIgnored(names: readonly string[], ignore: TaskPath["ignore"]): readonly string[] {
  return ignore === undefined ? names : names.filter((name) => !isIgnoredBy(ignore, name));
}

function actionOf(task: Task, code: Closure | null): RecipeAction {
  const { action } = task;
  if (action.kind === "cmd") {
    // The scratch folder is named after the key, so the key covers only whether there is one.
    const paths = { in: pathsOfRole(task.inputs), out: pathsOfRole(task.outputs), scratch: "${scratch}" };
    const params = filledParams(action.command);
    return {
      kind: "cmd",
      ...(code && { code }),
      argv: renderCommand(action.command, paths),
      ...(params && { filled: { params, text: commandTemplate(action.command) } }),
    };
  }
  if (code === null) throw new Error(`the code of rule ${task.rule.name} was not read`);
  return action.kind === "script" ? { kind: "script", path: action.path, code } : { kind: "run", code };
}
