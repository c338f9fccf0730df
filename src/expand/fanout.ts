/**
 * Makes the tasks of one rule, one for each combination of axis values. Where the values of an axis are in a file that
 * is not read yet, it makes a pending expansion instead.
 *
 * It binds the axes in the order of `each`, so that an axis may refer to those before it. It evaluates `when` as soon
 * as the axes in it are bound.
 */
import { UserError, type Span } from "../model/errors.ts";
import type { Problems } from "../load/problems.ts";
import type {
  AxisSpec,
  AxisValue,
  PendingExpansion,
  Pipeline,
  Rule,
  Declaration,
  Task,
  TaskParam,
  TaskPath,
  Template,
} from "../model/model.ts";
import { axisValues, hasEmptyGlob } from "./axes.ts";
import {
  axesNeeded,
  bindCommand,
  bindCondition,
  bindPaths,
  bindText,
  bindValue,
  plainText,
  usesAxis,
  valueUsesAxis,
  type Bind,
  type Bound,
  type Names,
  type Write,
} from "./bind.ts";
import type { SourceGlobs } from "./glob.ts";
import { isOutside, normalise } from "../model/paths.ts";
import { knownPart, openId, taskId } from "../model/task-id.ts";
import { shellQuote } from "../system/quote.ts";

/** Takes the tasks and the pending expansions of a rule. */
export interface Sink {
  readonly tasks: Task[];
  readonly expansions: PendingExpansion[];
  /** For axes without values: the text at the beginning of the ids of the tasks that they would bring. */
  readonly without: string[];
  readonly problems: Problems;
  /** Index of the first task. */
  readonly first: number;
}

/** Stands for the value of an axis that is not known yet. */
export const UNKNOWN = "\0";

export class RuleFanout {
  readonly #rule: Rule;
  readonly #root: string;
  readonly #globs: SourceGlobs;
  readonly #names: Names;
  readonly #when: { readonly holds: Bind<boolean>; readonly after: number } | null;
  readonly #inputs: Bind<readonly TaskPath[]>;
  readonly #outputs: Bind<readonly TaskPath[]>;
  readonly #params: Bind<Task["params"]>;
  readonly #env: Bind<Task["env"]>;
  readonly #action: Bind<Task["action"]>;
  /** Values of axes that depend on no other axis, by the axis's place in the pipeline. Rules share them. */
  readonly #fixed: Map<string, readonly AxisValue[]>;

  constructor(rule: Rule, pipeline: Pipeline, globs: SourceGlobs, fixed: Map<string, readonly AxisValue[]>) {
    const names = { axes: rule.each.map(({ name }) => name), params: pipeline.params };
    this.#rule = rule;
    this.#root = pipeline.root;
    this.#names = names;
    this.#globs = globs;
    this.#fixed = fixed;
    this.#when = rule.when && {
      holds: bindCondition(rule.when, names),
      after: axesNeeded(rule.when, names.axes),
    };
    this.#inputs = bindDeclarations(rule.inputs, names, (path, template) =>
      inputPath(pipeline.root, path, template),
    );
    this.#outputs = bindDeclarations(rule.outputs, names, (path, template) =>
      outputPath(pipeline.root, path, template),
    );
    this.#params = bindParams(rule, names);
    this.#env = bindEnv(rule, names);
    this.#action = bindAction(rule, names);
  }

  /** Goes on from the axes that are bound. It adds errors to the sink's problems. */
  expand(bound: Bound, sink: Sink): void {
    try {
      if (this.#when?.after === bound.length && !this.#when.holds(bound)) return;
      const next = this.#rule.each[bound.length];
      if (!next) sink.tasks.push(this.#task(bound, sink.first + sink.tasks.length));
      else if (next.axis.kind === "in") sink.expansions.push(this.#expansion(bound, next.axis));
      else this.#fanOut(next.axis, bound, sink);
    } catch (error) {
      sink.problems.absorb(error);
    }
  }

  #fanOut(axis: AxisSpec, bound: Bound, sink: Sink): void {
    const values = this.#values(axis, bound);
    if (values.length === 0 || hasEmptyGlob(this.#globs, axis, this.#names, bound))
      sink.without.push(knownPart(openId(this.#rule.name, bound.map(textOf))));
    for (const value of values) this.expand([...bound, value], sink);
  }

  /** A task with these axes bound and the others UNKNOWN; null if `when` or a param needs more of those than a text. */
  sample(bound: Bound): Task | null {
    if (this.#when && this.#when.after > bound.length) return null;
    const rest = this.#names.axes.slice(bound.length).map(() => ({ text: UNKNOWN, fields: null }));
    const bindings = [...bound, ...rest];
    try {
      const params = this.#params(bindings);
      const id = openId(this.#rule.name, bound.map(textOf));
      return {
        id,
        rule: this.#rule,
        index: -1,
        bindings,
        inputs: [],
        outputs: [],
        params,
        env: {},
        action: this.#rule.action,
      };
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
  }

  #values(axis: AxisSpec, bound: Bound): readonly AxisValue[] {
    if (dependsOnAxis(axis)) return axisValues(this.#globs, axis, this.#names, bound);
    const place = `${axis.span.file}:${axis.span.start}`;
    const known = this.#fixed.get(place) ?? axisValues(this.#globs, axis, this.#names, bound);
    this.#fixed.set(place, known);
    return known;
  }

  #task(bound: Bound, index: number): Task {
    return {
      id: taskId(this.#rule.name, bound.map(textOf)),
      rule: this.#rule,
      index,
      bindings: bound,
      inputs: this.#inputs(bound),
      outputs: this.#outputs(bound),
      params: this.#params(bound),
      env: this.#env(bound),
      action: this.#action(bound),
    };
  }

  #expansion(bound: Bound, axis: Extract<AxisSpec, { kind: "in" }>): PendingExpansion {
    return {
      id: openId(this.#rule.name, bound.map(textOf)),
      rule: this.#rule,
      bound: bound.map((value, i) => ({ name: this.#names.axes[i] ?? "", value })),
      file: inputPath(this.#root, bindText(axis.file, this.#names)(bound), axis.file),
      at: bindText(axis.at, this.#names)(bound),
    };
  }
}

function textOf({ text }: AxisValue): string {
  return text;
}

function bindDeclarations(
  declarations: readonly Declaration[],
  names: Names,
  finish: (path: string, template: Template) => string,
): Bind<readonly TaskPath[]> {
  const binds = declarations.flatMap((declaration) =>
    declaration.paths.map((template) => ({ declaration, template, paths: bindPaths(template, names) })),
  );
  const fillOne = ({ declaration, template, paths }: (typeof binds)[number], bound: Bound) => {
    const found = paths(bound);
    if (typeof found === "string") return taskPath(declaration, declaration.list, finish(found, template));
    return found.map((path) => taskPath(declaration, true, finish(path, template)));
  };
  const fill = (bound: Bound): readonly TaskPath[] => {
    // Do not push one by one: an array that grew keeps spare room, and there is one array in each task.
    const filled = binds.map((bind) => fillOne(bind, bound));
    return filled.every((item) => "path" in item) ? filled : filled.flat();
  };
  return binds.some(({ template }) => usesAxis(template)) ? fill : once(fill);
}

/** @throws UserError if an input with `names` or `ignore` is not a folder */
function taskPath({ role, names, ignore, paths }: Declaration, list: boolean, path: string): TaskPath {
  if (!names && !ignore) return { role, list, path };
  if (path.endsWith("/")) return { role, list, path, ...(names && { names }), ...(ignore && { ignore }) };
  const span = paths[0]?.span;
  const what = names ? '"names" is for the names' : '"ignore" is for files';
  const message = `${what} in a folder, and "${path}" does not end in "/"`;
  throw new UserError({ message, ...(span && { span }) });
}

/** Folders of the project that no rule may write to. */
const RESERVED = /^(cache|\.git|node_modules)\//;

function inputPath(root: string, text: string, { span }: Template): string {
  refuseHome(text, span);
  return normalise(root, text);
}

/** Only a shell knows whose home "~" is. lq would make a folder of this name. */
function refuseHome(text: string, span: Span): void {
  if (text !== "~" && !text.startsWith("~/")) return;
  const message = `"${text}" begins with "~", which stands for a home in a shell only`;
  throw new UserError({ message, span, hint: 'write the whole path, or "./~" for a folder of this name' });
}

function outputPath(root: string, text: string, { span }: Template): string {
  refuseHome(text, span);
  const path = normalise(root, text);
  if (path === "") throw new UserError({ message: "an output cannot be the project's folder itself", span });
  if (isOutside(path)) throw new UserError({ message: `output "${text}" is outside the project`, span });
  if (RESERVED.test(path))
    throw new UserError({ message: `output "${text}" is in a folder that no rule may write`, span });
  return path;
}

function bindParams(rule: Rule, names: Names): Bind<Task["params"]> {
  const entries = [...rule.with].map(([name, { value }]) => ({ name, value, bind: bindValue(value, names) }));
  const fill = (bound: Bound): Task["params"] => {
    const params: { [name: string]: TaskParam } = {};
    for (const { name, bind } of entries) params[name] = bind(bound);
    return params;
  };
  return entries.some(({ value }) => valueUsesAxis(value)) ? fill : once(fill);
}

function bindEnv(rule: Rule, names: Names): Bind<Task["env"]> {
  const entries = [...rule.env].map(([name, value]) => [name, value && bindText(value, names)] as const);
  const fill = (bound: Bound) =>
    Object.fromEntries(entries.map(([name, text]) => [name, text?.(bound) ?? null]));
  return [...rule.env.values()].some((value) => value !== null && usesAxis(value)) ? fill : once(fill);
}

function bindAction(rule: Rule, names: Names): Bind<Task["action"]> {
  const { action } = rule;
  if (action.kind !== "cmd") return () => action;
  const given = new Map([...rule.with].map(([name, { value }]) => [name, bindValue(value, names)]));
  const command = bindWords(action.command, { ...names, given });
  const fill = (bound: Bound): Task["action"] => ({ kind: "cmd", command: command(bound) });
  return [action.command].flat().some(usesAxis) ||
    [...rule.with.values()].some(({ value }) => valueUsesAxis(value))
    ? fill
    : once(fill);
}

function bindWords(
  command: Template | readonly Template[],
  names: Names,
): Bind<Template | readonly Template[]> {
  if ("parts" in command) return bindCommand(command, names, quotedText);
  const items = command.map((item) => bindCommand(item, names, plainText));
  return (bound) => items.map((item) => item(bound));
}

const quotedText: Write = (value, span, fromAxis) => shellQuote(plainText(value, span, fromAxis));

function dependsOnAxis(axis: AxisSpec): boolean {
  if (axis.kind === "keys" || axis.kind === "items") return usesAxis(axis.path);
  if (axis.kind === "glob") return usesAxis(axis.pattern);
  return axis.kind === "join" && axis.axes.some(dependsOnAxis);
}

/** For a value that depends on no axis: computes it for the first task, and shares it with all others. */
function once<T>(fill: Bind<T>): Bind<T> {
  let known: { readonly value: T } | undefined;
  return (bound) => (known ??= { value: fill(bound) }).value;
}
