/**
 * Carries a plan out. It settles each task when everything that the task depends on is settled, runs due tasks when
 * slots come free, and expands the graph when a file that an axis reads is there.
 */
import { readFileSync } from "node:fs";
import { UserError } from "../model/errors.ts";
import { EventLoopTurns } from "../system/event-loop.ts";
import { parseData } from "../expand/data.ts";
import { absolute } from "../model/paths.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import type { Task } from "../model/model.ts";
import type { Recorder } from "../record/record.ts";
import type { StoredRun } from "../store/action.ts";
import type { Waiting } from "../schedule/leases.ts";
import type { Selected } from "../select/select.ts";
import { Attempts, type Site } from "./attempts.ts";
import { evaluate, isDue, type DueTask, type Verdict } from "../plan/evaluate.ts";
import { Frontier, type Ready } from "../plan/frontier.ts";
import { Jobs } from "./jobs.ts";
import type { Mode } from "./mode.ts";
import type { Plan } from "../plan/plan.ts";
import { prefetchSources } from "../plan/prefetch.ts";
import { refusalOf } from "./protect.ts";
import type { TaskRunner } from "../execute/task-run.ts";
import type { Session } from "../session/session.ts";
import { Restorer, type ToRestore } from "./restorer.ts";
import type { BuildControl } from "./control.ts";
import type { Finished, Outcomes } from "./outcomes.ts";
import { urgency } from "./urgency.ts";

export interface Elsewhere extends Site {
  readonly takes: (task: Task) => boolean;
  readonly runner: TaskRunner & {
    /** Nothing new starts; what runs goes on. */
    stop(): void;
    /** What tasks wait for. */
    readonly waiting: readonly string[];
    onChange: () => void;
  };
}

export interface LoopParts {
  readonly session: Session;
  readonly plan: Plan;
  /** This machine. */
  readonly here: Site;
  /** A batch system; null: every task runs here. */
  readonly elsewhere: Elsewhere | null;
  readonly mode: Mode;
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
  readonly force: boolean;
  readonly keepGoing: boolean;
  readonly control: BuildControl;
  /** Called when the graph has new tasks. */
  readonly expanded: (selected: Selected) => void;
}

export class BuildLoop {
  readonly #parts: LoopParts;
  readonly #frontier: Frontier;
  readonly #here: Attempts;
  readonly #elsewhere: Attempts | null;
  readonly #restorer: Restorer;
  #selected: Selected;
  readonly #jobs = new Jobs();
  /** Tasks whose results in the cache cannot be restored. */
  readonly #damaged = new Set<Task>();
  readonly #finished = new Set<Task>();
  /** The last "waiting" text that was emitted. */
  #lastWaiting = "";

  /** @param isClean tasks that are fresh and depend on fresh tasks only */
  constructor(parts: LoopParts, isClean: (task: Task) => boolean) {
    this.#parts = parts;
    this.#selected = parts.plan.selected;
    this.#frontier = new Frontier(parts.session.graph, isClean);
    const { elsewhere } = parts;
    const ends = {
      ended: (finished: Finished) => this.#end(finished),
      ran: (task: Task, key: string, recipe: Recipe) => {
        this.#settle(task, freshNow(key, recipe.inputs), true);
        const { remote } = parts.session;
        if (remote?.push === true) void remote.send(key);
      },
      again: (task: Task) => this.#consider({ task, rebuilt: true }),
    };
    this.#here = new Attempts({ ...parts, ...parts.here }, this.#jobs, ends);
    this.#elsewhere = elsewhere && new Attempts({ ...parts, ...elsewhere }, this.#jobs, ends);
    this.#restorer = new Restorer(parts.session, parts.recorder);
  }

  /**
   * Updates the verdicts of the plan.
   * @returns the selection in the end
   * @throws UserError if an expansion shows that the graph is wrong; nothing runs any more then
   */
  async run(): Promise<Selected> {
    const turns = new EventLoopTurns();
    const jobs = this.#jobs;
    const { control, elsewhere, here } = this.#parts;
    control.onStop(jobs.wake);
    if (elsewhere !== null) elsewhere.runner.onChange = jobs.wake;
    this.#extend(this.#selected);
    for (;;) {
      jobs.guard(() => this.#considerReady());
      if (this.#frontier.hasReadyExpansions && !this.#stopped) {
        await this.#expand().catch((error: unknown) => jobs.fail(error));
        continue;
      }
      // Do not await anything from here to `jobs.over`: a job that ends meanwhile would go unnoticed.
      const news = jobs.news();
      const waiting = jobs.guard(() => {
        this.#startDue();
        return here.slots.rest(jobs.wake);
      });
      this.#emitWaiting(waiting);
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

  /** Emits what the build waits for, such as devices that others use, each time that this changes. */
  #emitWaiting(waiting: Waiting | null): void {
    const reasons = [...(waiting?.reasons ?? []), ...(this.#parts.elsewhere?.runner.waiting ?? [])];
    const text = reasons.join("; ");
    if (text !== this.#lastWaiting) this.#parts.outcomes.emit({ type: "waiting", for: reasons });
    this.#lastWaiting = text;
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
    while (!this.#stopped && this.#here.startNext());
    while (!this.#stopped && this.#elsewhere?.startNext() === true);
    if (this.#stopped) this.#parts.elsewhere?.runner.stop();
  }

  get #stopped(): boolean {
    const { control, outcomes, keepGoing } = this.#parts;
    return control.stopped || this.#jobs.error !== undefined || (outcomes.failed && !keepGoing);
  }

  #consider({ task, rebuilt }: Ready): void {
    const planned = rebuilt ? undefined : this.#parts.plan.verdicts.get(task);
    const verdict = planned ?? this.#evaluate(task);
    if (verdict === null) return;
    const { remote } = this.#parts.session;
    const mayBeFound = planned === undefined && isDue(verdict) && !this.#damaged.has(task);
    if (remote !== null && mayBeFound && !this.#isForced(task)) this.#jobs.add(this.#find(task, verdict.key));
    else this.#act(task, verdict);
  }

  /** The plan did not know the key: the remote cache is asked before the task runs. */
  async #find(task: Task, key: string): Promise<void> {
    const found = await this.#parts.session.remote?.find(key);
    const verdict = this.#evaluate(task, found ?? undefined);
    if (verdict !== null && !this.#stopped) this.#act(task, verdict);
  }

  /** @returns null if the task failed for it */
  #evaluate(task: Task, found?: StoredRun): Verdict | null {
    try {
      const [forced, damaged] = [this.#isForced(task), this.#damaged.has(task)];
      return evaluate(this.#parts.session, task, { forced, damaged, found });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#fail(task, error.message);
      return null;
    }
  }

  #isForced(task: Task): boolean {
    return this.#parts.force && this.#selected.named.has(task);
  }

  #act(task: Task, verdict: Verdict): void {
    const { outcomes, force } = this.#parts;
    if (verdict.state === "lacks-input")
      return this.#fail(task, `its input ${verdict.paths.join(", ")} is not there`);
    if (verdict.state === "fresh") {
      outcomes.finish({ task, outcome: "fresh" });
      return this.#settle(task, verdict, false);
    }
    const refusal = force ? undefined : verdict.reasons.flatMap((each) => refusalOf(task, each) ?? [])[0];
    if (refusal !== undefined) return this.#fail(task, refusal);
    if (verdict.state === "restorable") this.#restorer.add({ task, verdict });
    else this.#make({ task, ...verdict });
  }

  #make(due: DueTask): void {
    if (this.#parts.mode.inPlaceOfRun === null) this.#attemptsOf(due.task).add(due);
    else if (this.#damaged.has(due.task)) this.#fail(due.task, "its result in the cache is damaged");
    else this.#jobs.add(this.#doInPlaceOfRun(due, this.#parts.mode.inPlaceOfRun));
  }

  #attemptsOf(task: Task): Attempts {
    return (this.#parts.elsewhere?.takes(task) === true ? this.#elsewhere : null) ?? this.#here;
  }

  async #doInPlaceOfRun(due: DueTask, act: NonNullable<Mode["inPlaceOfRun"]>): Promise<void> {
    const { task, key, reasons, recipe } = due;
    const { session, recorder, mode, outcomes } = this.#parts;
    const error = await act(session, recorder, due);
    if (error !== null) {
      this.#fail(task, error);
      return;
    }
    outcomes.finish({ task, outcome: mode.outcome, reasons });
    // The plan of later tasks already uses these outputs.
    this.#settle(task, freshNow(key, recipe.inputs), false);
  }

  async #restore(each: ToRestore): Promise<void> {
    const { task } = each;
    const { key, reasons, inputs } = each.verdict;
    const started = performance.now();
    if (await this.#restorer.restore(each)) {
      const seconds = (performance.now() - started) / 1000;
      this.#parts.outcomes.finish({ task, outcome: "restored", reasons, seconds });
      // The plan of later tasks already uses these outputs.
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
      // An interrupt ends the hashing too, and nothing more is started.
      if (!this.#stopped) throw error;
    });
  }

  /** @returns the new tasks */
  #extend(selected: Selected): readonly Task[] {
    const added = this.#frontier.extend(selected);
    const { session, here } = this.#parts;
    this.#parts.outcomes.plan(selected.tasks, session.state);
    const priorities = urgency(session.state, selected, this.#frontier, here.slots.capacity);
    for (const attempts of [this.#here, this.#elsewhere])
      if (attempts !== null) attempts.priorities = priorities;
    return added;
  }
}

function freshNow(key: string, inputs: Recipe["inputs"]): Verdict {
  return { state: "fresh", key, inputs };
}
