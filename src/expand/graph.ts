/**
 * Holds the tasks of a pipeline, and knows which task makes which path. A graph only grows: when the file that an axis
 * reads is known, the pending expansions that waited for the file become tasks.
 */
import { debug } from "../system/debug.ts";
import { resolve } from "node:path";
import type { Disk } from "../files/disk.ts";
import { UserError, type Diagnostic } from "../model/errors.ts";
import { Problems } from "../load/problems.ts";
import type { AxisValue, PendingExpansion, Json, Pipeline, Task } from "../model/model.ts";
import { valuesAt } from "./axes.ts";
import { checkGraph } from "./check.ts";
import type { Checked, Selection } from "./checked.ts";
import { missingInputs } from "./missing-inputs.ts";
import { parseData } from "./data.ts";
import { RuleFanout, type Sink } from "./fanout.ts";
import { SourceGlobs } from "./glob.ts";
import { NeedsIndex, type Needs } from "./needs.ts";
import { OutputIndex } from "./outputs.ts";
import { PendingExpansions, type PathPattern } from "./pending.ts";
import { knownPart, prefixesOf, ruleOf } from "../model/task-id.ts";
import type { TaskGraph } from "./task-graph.ts";

export class Graph implements TaskGraph {
  readonly pipeline: Pipeline;
  readonly #disk: Disk;
  readonly #tasks: Task[] = [];
  readonly #byId = new Map<string, Task>();
  readonly #globs: SourceGlobs;
  readonly #outputs = new OutputIndex();
  /** Outputs that an earlier task already makes. */
  readonly #collisions: { readonly path: string; readonly first: Task; readonly second: Task }[] = [];
  readonly #fanouts: ReadonlyMap<string, RuleFanout>;
  readonly #pending: PendingExpansions;
  readonly #needs: NeedsIndex;
  /** Pending expansions whose file no known task makes. */
  readonly #unsettled = new Set<PendingExpansion>();
  readonly #read = new Set<string>();
  readonly #axisFiles = new Set<string>();
  /** See `Sink.without`. */
  readonly #without = new Set<string>();
  /** The rules with tasks or pending expansions; made when first asked for. */
  #rulesWithTasks: ReadonlySet<string> | undefined;
  /** For each task or expansion that came from an expansion: the files it came from. */
  readonly #origins = new Map<Task | PendingExpansion, readonly string[]>();

  /**
   * @param only makes only the tasks of these bindings of rules
   * @throws UserError with every task that cannot be made
   */
  constructor(
    pipeline: Pipeline,
    disk: Disk,
    only?: Iterable<readonly [rule: string, bindings: readonly AxisValue[]]>,
  ) {
    this.pipeline = pipeline;
    this.#disk = disk;
    this.#globs = new SourceGlobs(pipeline.root, disk);
    this.#pending = new PendingExpansions(pipeline.root, pipeline.params);
    this.#needs = new NeedsIndex(this.#outputs, this.#pending);
    const fixed = new Map<string, readonly AxisValue[]>();
    const rules = [...pipeline.rules];
    this.#fanouts = new Map(
      rules.map(([name, rule]) => [name, new RuleFanout(rule, pipeline, this.#globs, fixed)]),
    );
    const sink = this.#sink();
    const all = [...this.#fanouts.keys()].map((rule) => [rule, []] as const);
    for (const [rule, bindings] of only ?? all) this.#fanouts.get(rule)?.expand(bindings, sink);
    this.#commit(sink);
    this.#settle();
    debug.load?.(`tasks: ${this.#tasks.length}, pending expansions: ${this.expansions.length}`);
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Pending expansions. */
  get expansions(): readonly PendingExpansion[] {
    return this.#pending.all;
  }

  /** Source files that the graph was made from: the pipeline's, and those that axes were read from. */
  get files(): readonly string[] {
    return [...this.pipeline.files, ...this.#read];
  }

  /** All files that axes were read from, sources and outputs of tasks. */
  get axisFiles(): Iterable<string> {
    return this.#axisFiles;
  }

  task(id: string): Task | undefined {
    return this.#byId.get(id);
  }

  /** The task that makes a path, or the directory that the path is in. */
  producer(path: string): Task | undefined {
    return this.#outputs.producer(path);
  }

  /** The tasks with an output in a directory (with its "/"; "" is the project). */
  producersUnder(directory: string): readonly Task[] {
    return this.#outputs.under(directory);
  }

  /** The tasks and expansions that a task waits for, as far as the graph knows them now. */
  needs(task: Task): Needs {
    return this.#needs.of(task);
  }

  /** The tasks that make what a task reads, as far as the graph knows it now. */
  dependencies(task: Task): readonly Task[] {
    return this.#needs.of(task).tasks;
  }

  /** The outputs of tasks from which the axis values of this task or expansion were read. */
  origins(node: Task | PendingExpansion): readonly string[] {
    return this.#origins.get(node) ?? [];
  }

  /**
   * Whether a task that is not in the graph may be gone by mistake, and come back: its rule is gone or has no tasks, or
   * an axis of the rule has no values for it, such as a glob whose folder is not there.
   */
  mayComeBack(id: string): boolean {
    this.#rulesWithTasks ??= new Set([...this.#tasks, ...this.expansions].map(({ rule }) => rule.name));
    if (!this.#rulesWithTasks.has(ruleOf(id))) return true;
    return this.#without.size > 0 && prefixesOf(id).some((prefix) => this.#without.has(prefix));
  }

  /** Pending expansions that may make a path or, for a directory, something in it. */
  expansionsFor(path: string): readonly PendingExpansion[] {
    return this.#pending.for(path);
  }

  /** Pending expansions that may make an output with such a path. */
  expansionsLike(pattern: PathPattern): readonly PendingExpansion[] {
    return this.#pending.like(pattern);
  }

  /**
   * A task that the expansion may become, to check its params. Values that are not known are UNKNOWN. Null if the
   * params need more than texts.
   */
  sample(expansion: PendingExpansion): Task | null {
    return this.#fanouts.get(expansion.rule.name)?.sample(expansion.bound.map(({ value }) => value)) ?? null;
  }

  /** The inputs of the tasks of a pending expansion: known paths, or patterns of paths. */
  readsOf(expansion: PendingExpansion): readonly (string | PathPattern)[] {
    return this.#pending.reads(expansion);
  }

  /**
   * Makes the tasks of an expansion from the content of its file. The new tasks may let other expansions expand too.
   *
   * @returns all new tasks
   * @throws UserError for content that cannot be used; the graph stays as it was
   */
  expand(expansion: PendingExpansion, content: Json): readonly Task[] {
    const before = this.#tasks.length;
    this.#expandOne(expansion, content);
    this.#settle();
    return this.#tasks.slice(before);
  }

  /**
   * Checks the graph as it has expanded so far.
   *
   * @param selection the tasks and expansions whose inputs must be there; by default all
   * @param mayLackInputs leaves out inputs that are not there
   * @throws UserError with every problem
   */
  check(selection?: Selection, mayLackInputs = false): void {
    checkGraph(this.#checked, selection, mayLackInputs);
  }

  /** One problem for each place in the pipeline that names inputs of these tasks which are not there. */
  missingInputs(selection: Selection): readonly Diagnostic[] {
    return missingInputs(this.#checked, selection);
  }

  get #checked(): Checked {
    const [disk, globs, outputs, collisions] = [this.#disk, this.#globs, this.#outputs, this.#collisions];
    return { graph: this, disk, globs, outputs, collisions };
  }

  #expandOne(expansion: PendingExpansion, content: Json): void {
    if (!this.#pending.has(expansion)) throw new Error(`expansion ${expansion.id} is not pending`);
    const axis = expansion.rule.each[expansion.bound.length]?.axis;
    const fanout = this.#fanouts.get(expansion.rule.name);
    if (!axis || !fanout) throw new Error(`expansion ${expansion.id} has no axis to read`);
    const bound = expansion.bound.map(({ value }) => value);
    const sink = this.#sink();
    const values = valuesAt(content, expansion.at, expansion.file, axis.span);
    if (values.length === 0) sink.without.push(knownPart(expansion.id));
    for (const value of values) fanout.expand([...bound, value], sink);
    this.#commit(sink);
    debug.load?.(`expanded ${expansion.id} from ${expansion.file}; new tasks: ${sink.tasks.length}`);
    this.#axisFiles.add(expansion.file);
    const files = this.producer(expansion.file)
      ? [...this.origins(expansion), expansion.file]
      : this.origins(expansion);
    if (files.length > 0)
      for (const node of [...sink.tasks, ...sink.expansions]) this.#origins.set(node, files);
    this.#origins.delete(expansion);
    this.#pending.delete(expansion);
    this.#unsettled.delete(expansion);
    this.#rulesWithTasks = undefined;
    this.#needs.graphExpanded();
  }

  #sink(): Sink {
    return { tasks: [], expansions: [], without: [], problems: new Problems(), first: this.#tasks.length };
  }

  /** Adds all of the sink, or throws and adds nothing. */
  #commit({ tasks, expansions, without, problems }: Sink): void {
    for (const task of tasks) {
      if (this.#byId.has(task.id)) problems.add(`two tasks have the id "${task.id}"`, task.rule.span);
      else this.#byId.set(task.id, task);
    }
    if (problems.count > 0) {
      for (const task of tasks) if (this.#byId.get(task.id) === task) this.#byId.delete(task.id);
      problems.throwIfAny();
    }
    for (const task of tasks) {
      this.#tasks.push(task);
      for (const { path } of task.outputs) {
        const first = this.#outputs.add(path, task);
        if (first) this.#collisions.push({ path, first, second: task });
      }
    }
    for (const prefix of without) this.#without.add(prefix);
    for (const expansion of expansions) {
      this.#pending.add(expansion);
      this.#unsettled.add(expansion);
    }
  }

  /**
   * Expands at once the expansions that read a source file. That is a file that no task makes and that no expansion
   * can make which waits for a task.
   */
  #settle(): void {
    for (let again = true; again;) {
      again = false;
      for (const expansion of this.#unsettled)
        if (this.producer(expansion.file)) this.#unsettled.delete(expansion);
      for (const expansion of this.#stuck()) {
        const content = this.#readSource(expansion);
        if (content === undefined) continue;
        this.#expandOne(expansion, content);
        again = true;
      }
    }
  }

  /** Pending expansions that do not wait for any task. */
  #stuck(): readonly PendingExpansion[] {
    const stuck = new Set(this.#unsettled);
    for (let again = stuck.size > 0; again;) {
      again = false;
      for (const expansion of stuck) {
        if (!this.expansionsFor(expansion.file).some((maker) => !stuck.has(maker))) continue;
        stuck.delete(expansion);
        again = true;
      }
    }
    return [...stuck];
  }

  #readSource({ file, rule, bound }: PendingExpansion): Json | undefined {
    let text: string;
    try {
      text = this.#disk.read(resolve(this.pipeline.root, file));
    } catch {
      return undefined;
    }
    this.#read.add(file);
    try {
      return parseData(text, file);
    } catch (error) {
      const span = rule.each[bound.length]?.axis.span;
      if (!(error instanceof UserError) || !span || error.diagnostics.some((d) => d.span)) throw error;
      throw new UserError({ message: error.message, span });
    }
  }
}
