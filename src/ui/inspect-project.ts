/** Inspects the project: its graph, the state of each task, its history. Writes nothing. */
import { openProject, type CommonFlags, type Project } from "../cli/options.ts";
import { builds, lastRuns, type Build } from "../history/builds.ts";
import type { TaskFacts } from "../inspect/causes.ts";
import type { Task } from "../model/model.ts";
import { makePlan, type Plan } from "../plan/plan.ts";
import { statusOf, type TaskStatus } from "../plan/status.ts";
import { openSession, type Session } from "../session/session.ts";

export class Inspection {
  readonly project: Project;
  readonly session: Session;
  readonly plan: Plan;
  /** The time of the inspection. */
  readonly at = Date.now();
  #statuses: ReadonlyMap<string, TaskStatus> | undefined;
  #builds: readonly Build[] | undefined;
  #runs: ReturnType<typeof lastRuns> | undefined;
  #readers: Map<Task, Task[]> | undefined;

  private constructor(project: Project, session: Session, plan: Plan) {
    [this.project, this.session, this.plan] = [project, session, plan];
  }

  /** @throws UserError for a project with mistakes */
  static async of(flags: CommonFlags, targets: readonly string[] = []): Promise<Inspection> {
    const project = openProject(flags);
    const request = { ...project, targets };
    const options = { readonly: true, keepsDamaged: true, notice: () => undefined, hashing: { keep: false } };
    const session = openSession(request, options);
    return new Inspection(project, session, await makePlan(session, false));
  }

  get root(): string {
    return this.session.root;
  }

  get statuses(): ReadonlyMap<string, TaskStatus> {
    return (this.#statuses ??= new Map(statusOf(this.plan).map((status) => [status.id, status])));
  }

  /** The recorded builds, newest first. */
  get builds(): readonly Build[] {
    return (this.#builds ??= [...builds(this.root)]);
  }

  get facts(): TaskFacts {
    const runs = (this.#runs ??= lastRuns(this.builds));
    return {
      status: (id) => this.statuses.get(id),
      lastRun: (id) => runs.get(id),
      maker: (path) => this.session.graph.producer(path)?.id,
    };
  }

  /** The tasks that read what a task makes. */
  readers(task: Task): readonly Task[] {
    const { graph } = this.session;
    if (this.#readers === undefined) {
      this.#readers = new Map();
      for (const reader of graph.tasks)
        for (const maker of graph.dependencies(reader)) {
          const own = this.#readers.get(maker);
          if (own === undefined) this.#readers.set(maker, [reader]);
          else own.push(reader);
        }
    }
    return this.#readers.get(task) ?? [];
  }

  stateOf(id: string): TaskStatus["freshness"]["state"] | null {
    return this.statuses.get(id)?.freshness.state ?? null;
  }
}
