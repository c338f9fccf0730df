/**
 * Carries a plan out: settles each task when all that it depends on is settled, runs what has to run as slots
 * come free, and lets the graph grow when a file that an axis reads is there.
 */
import { readFileSync } from "node:fs";
import { UserError } from "../model/errors.ts";
import { EventLoopTurns } from "../system/event-loop.ts";
import { parseData } from "../expand/data.ts";
import { absolute } from "../model/paths.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Task } from "../model/model.ts";
import type { Recorder } from "../record/record.ts";
import type { Waiting } from "../schedule/leases.ts";
import type { Slots } from "../schedule/slots.ts";
import type { Selected } from "../select/select.ts";
import { Attempts } from "./attempts.ts";
import { evaluate, type DueTask, type Verdict } from "../plan/evaluate.ts";
import { Frontier, type Ready } from "../plan/frontier.ts";
import { Jobs } from "./jobs.ts";
import type { Plan } from "../plan/plan.ts";
import { prefetchSources } from "../plan/prefetch.ts";
import { editedMessage } from "./refuse.ts";
import type { TaskRunner } from "./run-task.ts";
import type { Session } from "../session/session.ts";
import { Restorer, type ToRestore } from "./restorer.ts";
import type { BuildControl } from "./control.ts";
import type { Finished, Outcomes } from "./outcomes.ts";
import { urgency } from "./urgency.ts";

export interface LoopParts {
  readonly session: Session;
  readonly plan: Plan;
  readonly slots: Slots;
  readonly runner: TaskRunner;
  /** Does with a task what is done in place of running it, and says what is against that; null: it runs. */
  readonly accept: ((due: DueTask) => Promise<string | null>) | null;
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
  readonly force: boolean;
  readonly keepGoing: boolean;
  readonly control: BuildControl;
  /** Called when the graph has expanded. */
  readonly expanded: (selected: Selected) => void;
}

export class BuildLoop {
  readonly #parts: LoopParts;
  readonly #frontier: Frontier;
  readonly #attempts: Attempts;
  readonly #restorer: Restorer;
  #selected: Selected;
  readonly #jobs = new Jobs();
  /** Tasks of which what the cache has cannot be restored. */
  readonly #damaged = new Set<Task>();
  readonly #finished = new Set<Task>();
  /** What was last told to be waited for. */
  #told = "";

  /** @param isClean tasks that are fresh, as is all that they depend on */
  constructor(parts: LoopParts, isClean: (task: Task) => boolean) {
    this.#parts = parts;
    this.#selected = parts.plan.selected;
    this.#frontier = new Frontier(parts.session.graph, isClean);
    this.#attempts = new Attempts(parts, this.#jobs, {
      ended: (finished) => this.#end(finished),
      ran: (task, key, recipe) => this.#settle(task, freshNow(key, recipe.inputs), true),
      again: (task) => this.#consider({ task, rebuilt: true }),
    });
    this.#restorer = new Restorer(parts.session.root, parts.recorder);
  }

  /**
   * Brings the verdicts of the plan up to date as well.
   * @returns what is selected in the end
   * @throws UserError when the graph turns out to be wrong as it grows; nothing runs any more then.
   */
  async run(): Promise<Selected> {
    const turns = new EventLoopTurns();
    const jobs = this.#jobs;
    this.#parts.control.onStop(jobs.wake);
    this.#extend(this.#selected);
    for (;;) {
      jobs.guard(() => this.#considerReady());
      if (this.#frontier.hasReadyExpansions && !this.#stopped) {
        await this.#expand().catch((error: unknown) => jobs.fail(error));
        continue;
      }
      // Nothing may be awaited from here to the look at what is under way: what ends meanwhile would be missed.
      const news = jobs.news();
      const waiting = jobs.guard(() => {
        this.#startDue();
        return this.#parts.slots.rest(jobs.wake);
      });
      this.#tellOf(waiting);
      if (jobs.over && waiting === null) break;
      await news;
      waiting?.end();
      await turns.give();
    }
    if (jobs.error !== undefined) throw jobs.error;
    for (const task of this.#frontier.unsettled())
      if (!this.#finished.has(task)) this.#parts.outcomes.finish({ task, outcome: "skipped" });
    return this.#selected;
  }

  /** What is waited for outside of this build, each time that it is something else. */
  #tellOf(waiting: Waiting | null): void {
    const reasons = waiting?.reasons ?? [];
    const text = reasons.join("; ");
    if (text !== this.#told) this.#parts.outcomes.emit({ type: "waiting", for: reasons });
    this.#told = text;
  }

  #considerReady(): void {
    for (let next = this.#frontier.take(); next && !this.#stopped; next = this.#frontier.take())
      this.#consider(next);
  }

  #startDue(): void {
    while (!this.#stopped) {
      const next = this.#restorer.next();
      if (next === null) break;
      this.#jobs.add(this.#restore(next));
    }
    while (!this.#stopped && this.#attempts.startNext());
  }

  get #stopped(): boolean {
    const { control, outcomes, keepGoing } = this.#parts;
    return control.stopped || this.#jobs.error !== undefined || (outcomes.failed && !keepGoing);
  }

  #consider({ task, rebuilt }: Ready): void {
    const { session, outcomes, force } = this.#parts;
    let verdict: Verdict;
    try {
      const forced = force && this.#selected.named.has(task);
      const planned = rebuilt ? undefined : this.#parts.plan.verdicts.get(task);
      verdict = planned ?? evaluate(session, task, { forced, damaged: this.#damaged.has(task) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return this.#fail(task, error.message);
    }
    if (verdict.kind === "missing")
      return this.#fail(task, `its input ${verdict.paths.join(", ")} is not there`);
    if (verdict.kind === "fresh") {
      outcomes.finish({ task, outcome: "fresh" });
      return this.#settle(task, verdict, false);
    }
    const { freshness } = verdict;
    for (const reason of force ? [] : freshness.reasons)
      if (reason.kind === "output-edited") return this.#fail(task, editedMessage(task, reason.path).message);
      else if (reason.kind === "output-unreadable") return this.#fail(task, reason.why);
    if (verdict.kind === "restorable") this.#restorer.add({ task, verdict });
    else this.#make({ task, ...verdict });
  }

  #make(due: DueTask): void {
    const { accept } = this.#parts;
    if (accept === null) this.#attempts.add(due);
    else if (this.#damaged.has(due.task)) this.#fail(due.task, "the cache had its result, but damaged");
    else this.#jobs.add(this.#accept(due, accept));
  }

  async #accept(due: DueTask, accept: (due: DueTask) => Promise<string | null>): Promise<void> {
    const { task, freshness, recipe } = due;
    const { key, reasons } = freshness;
    const error = await accept(due);
    if (error === null) {
      this.#parts.outcomes.finish({ task, outcome: "accepted", reasons });
      // What comes after was planned with its outputs as they are.
      this.#settle(task, freshNow(key, recipe.inputs), false);
    } else this.#fail(task, error);
  }

  async #restore(each: ToRestore): Promise<void> {
    const { task } = each;
    const { freshness, inputs } = each.verdict;
    const { key, reasons } = freshness;
    const started = performance.now();
    if (await this.#restorer.restore(each)) {
      const seconds = (performance.now() - started) / 1000;
      this.#parts.outcomes.finish({ task, outcome: "restored", reasons, seconds });
      // What comes after was planned with these very outputs.
      this.#settle(task, freshNow(key, inputs), false);
    } else {
      this.#damaged.add(task);
      this.#consider({ task, rebuilt: true });
    }
  }

  #settle(task: Task, verdict: Verdict, changed: boolean): void {
    this.#finished.add(task);
    this.#parts.plan.verdicts.set(task, verdict);
    this.#frontier.settle(task, changed);
  }

  #fail(task: Task, error: string): void {
    this.#end({ task, outcome: "failed", error });
  }

  #end(finished: Finished): void {
    this.#finished.add(finished.task);
    this.#parts.outcomes.finish(finished);
  }

  async #expand(): Promise<void> {
    const { session, expanded } = this.#parts;
    for (const expansion of this.#frontier.takeReadyExpansions()) {
      const text = readFileSync(absolute(session.root, expansion.file), "utf8");
      session.graph.expand(expansion, parseData(text, expansion.file));
    }
    this.#selected = await session.select();
    expanded(this.#selected);
    await prefetchSources(session, this.#extend(this.#selected)).catch((error: unknown) => {
      // An interrupt ends the hashing as well: nothing more is started anyhow.
      if (!this.#stopped) throw error;
    });
  }

  /** @returns the tasks that are new */
  #extend(selected: Selected): readonly Task[] {
    const added = this.#frontier.extend(selected);
    const { session, slots } = this.#parts;
    this.#parts.outcomes.plan(selected.tasks, session.state);
    this.#attempts.priorities = urgency(session.state, selected, this.#frontier, slots.capacity);
    return added;
  }
}

function freshNow(key: string, inputs: Recipe["inputs"]): Verdict {
  return { kind: "fresh", freshness: { state: "fresh", key }, inputs };
}
