/**
 * The tasks of a pipeline and who makes what for whom. A graph only grows: when a file that an axis reads is
 * known, the growths that waited for it become tasks.
 */
import { resolve } from "node:path";
import type { Disk } from "../files/disk.ts";
import { UserError } from "../model/errors.ts";
import { Problems } from "../load/problems.ts";
import type { AxisValue, Growth, Json, Pipeline, Task } from "../model/model.ts";
import { valuesAt } from "./axes.ts";
import { checkGraph, type Selection } from "./check.ts";
import { parseData } from "./data.ts";
import { RuleFanout, type Sink } from "./fanout.ts";
import { SourceGlobs } from "./glob.ts";
import { NeedsIndex, type Needs } from "./needs.ts";
import { OutputIndex } from "./outputs.ts";
import { PendingGrowths, type PathPattern } from "./pending.ts";

export class Graph {
  readonly pipeline: Pipeline;
  readonly #disk: Disk;
  readonly #tasks: Task[] = [];
  readonly #byId = new Map<string, Task>();
  readonly #globs: SourceGlobs;
  readonly #outputs = new OutputIndex();
  /** Outputs that a task before already makes. */
  readonly #collisions: { readonly path: string; readonly first: Task; readonly second: Task }[] = [];
  readonly #fanouts: ReadonlyMap<string, RuleFanout>;
  readonly #pending: PendingGrowths;
  readonly #needs: NeedsIndex;
  /** Growths whose file no task is known to make. */
  readonly #unsettled = new Set<Growth>();
  readonly #read = new Set<string>();
  readonly #axisFiles = new Set<string>();
  /** What came of growths: the files that it came of. */
  readonly #origins = new Map<Task | Growth, readonly string[]>();

  /**
   * Throws a `UserError` with every task that cannot be made.
   *
   * @param only makes no tasks but those of these bindings of rules
   */
  constructor(
    pipeline: Pipeline,
    disk: Disk,
    only?: Iterable<readonly [rule: string, bindings: readonly AxisValue[]]>,
  ) {
    this.pipeline = pipeline;
    this.#disk = disk;
    this.#globs = new SourceGlobs(pipeline.root, disk);
    this.#pending = new PendingGrowths(pipeline.root, pipeline.params);
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
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Growths that are not grown yet. */
  get growths(): readonly Growth[] {
    return this.#pending.all;
  }

  /** Source files that the graph was made from: the pipeline's, and those that axes were read from. */
  get files(): readonly string[] {
    return [...this.pipeline.files, ...this.#read];
  }

  /** All files, sources and made ones, that axes were read from. */
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

  /** Whom a task waits for, as far as the graph has grown. */
  needs(task: Task): Needs {
    return this.#needs.of(task);
  }

  /** The tasks that make what a task reads, as far as the graph has grown. */
  dependencies(task: Task): readonly Task[] {
    return this.#needs.of(task).tasks;
  }

  /** The files, made by tasks, that say that there is such a task: those that its axes were read from. */
  origins(node: Task | Growth): readonly string[] {
    return this.#origins.get(node) ?? [];
  }

  /** Growths that may still make a path or, for a directory, something in it. */
  growthsFor(path: string): readonly Growth[] {
    return this.#pending.for(path);
  }

  /** Growths that may make an output of such a path. */
  growthsLike(pattern: PathPattern): readonly Growth[] {
    return this.#pending.like(pattern);
  }

  /** A task as the growth may become, for its params: what is not known of them is UNKNOWN. Null if that cannot be. */
  sample(growth: Growth): Task | null {
    return this.#fanouts.get(growth.rule.name)?.sample(growth.bound.map(({ value }) => value)) ?? null;
  }

  /** What the tasks of a growth would read: paths that are known, or what is known of them. */
  readsOf(growth: Growth): readonly (string | PathPattern)[] {
    return this.#pending.reads(growth);
  }

  /**
   * Makes tasks of a growth from the content of its file, and returns all that are new (the new tasks may let
   * other growths go on). Throws a `UserError`, with the graph as it was, for content that cannot be used.
   */
  grow(growth: Growth, content: Json): readonly Task[] {
    const before = this.#tasks.length;
    this.#growOne(growth, content);
    this.#settle();
    return this.#tasks.slice(before);
  }

  /**
   * Throws a `UserError` with everything that is wrong with the graph as it has grown so far. Inputs that are
   * missing count only for the tasks and growths selected; without a selection for all.
   */
  check(selection?: Selection): void {
    checkGraph(this, this.#disk, this.#globs, this.#outputs, this.#collisions, selection);
  }

  #growOne(growth: Growth, content: Json): void {
    if (!this.#pending.has(growth)) throw new Error(`growth ${growth.id} is not pending`);
    const axis = growth.rule.each[growth.bound.length]?.axis;
    const fanout = this.#fanouts.get(growth.rule.name);
    if (!axis || !fanout) throw new Error(`growth ${growth.id} has no axis to read`);
    const bound = growth.bound.map(({ value }) => value);
    const sink = this.#sink();
    for (const value of valuesAt(content, growth.at, growth.file, axis.span))
      fanout.expand([...bound, value], sink);
    this.#commit(sink);
    this.#axisFiles.add(growth.file);
    const files = this.producer(growth.file) ? [...this.origins(growth), growth.file] : this.origins(growth);
    if (files.length > 0) for (const node of [...sink.tasks, ...sink.growths]) this.#origins.set(node, files);
    this.#origins.delete(growth);
    this.#pending.delete(growth);
    this.#unsettled.delete(growth);
    this.#needs.grown();
  }

  #sink(): Sink {
    return { tasks: [], growths: [], problems: new Problems(), first: this.#tasks.length };
  }

  /** All or nothing. */
  #commit({ tasks, growths, problems }: Sink): void {
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
    for (const growth of growths) {
      this.#pending.add(growth);
      this.#unsettled.add(growth);
    }
  }

  /** Grows at once what reads a source file: one that no task makes and no growth that can go on may make. */
  #settle(): void {
    for (let again = true; again;) {
      again = false;
      for (const growth of this.#unsettled) if (this.producer(growth.file)) this.#unsettled.delete(growth);
      for (const growth of this.#stuck()) {
        const content = this.#readSource(growth);
        if (content === undefined) continue;
        this.#growOne(growth, content);
        again = true;
      }
    }
  }

  /** Growths that no task's result will ever let go on. */
  #stuck(): readonly Growth[] {
    const stuck = new Set(this.#unsettled);
    for (let again = stuck.size > 0; again;) {
      again = false;
      for (const growth of stuck) {
        if (!this.growthsFor(growth.file).some((maker) => !stuck.has(maker))) continue;
        stuck.delete(growth);
        again = true;
      }
    }
    return [...stuck];
  }

  #readSource({ file, rule, bound }: Growth): Json | undefined {
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
