/** Lets a batch system run the tasks that may run there. */
import type { Pipeline, SlotRequest, Task, Rule } from "../model/model.ts";
import type { Plan } from "../plan/plan.ts";
import type { Recorder } from "../record/record.ts";
import type { Capacity } from "../schedule/capacity.ts";
import { Slots, type Pools } from "../schedule/slots.ts";
import type { Session } from "../session/session.ts";
import type { Elsewhere } from "./loop.ts";
import type { Outcomes } from "./outcomes.ts";

export interface ElsewhereRequest {
  readonly session: Session;
  readonly pipeline: Pipeline;
  readonly plan: Plan;
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
  /** Those that may run. */
  readonly tasks: readonly Task[];
  /** What this machine has. Pools are those of the build, wherever its tasks run. */
  readonly capacity: Capacity;
  readonly pools: Pools;
}

export interface OpenElsewhere extends Elsewhere {
  close(): Promise<void>;
}

/** Whether a batch system runs the tasks of a rule. Shape rules are cheap, and decide which tasks there are. */
export function mayRunElsewhere(rule: Rule): boolean {
  return rule.slurm !== null && !rule.shape;
}

/** @throws UserError if Slurm is not here, or refuses what the tasks ask for */
export async function openElsewhere(request: ElsewhereRequest): Promise<OpenElsewhere> {
  const { session, pipeline, plan, recorder, outcomes, capacity, pools } = request;
  const takes = ({ rule }: Task): boolean => mayRunElsewhere(rule);
  const { openSlurm } = await import("../slurm/open.ts");
  const runner = await openSlurm({
    ...{ session, recorder, pipeline },
    tasks: request.tasks.filter(takes),
    notice: (text, level) => outcomes.notice(text, level),
  });
  const ids = new Map([...plan.selected.tasks].map((task) => [task.id, task]));
  await runner.adopt(
    (id) => ids.has(id),
    (id) => keyIn(plan, ids.get(id)),
  );
  return {
    takes,
    runner,
    slots: new Slots({ ...capacity, cpu: 0, devices: [] }, null, pools),
    slotsOf: onlyPools(),
    close: () => runner.close(),
  };
}

/** The key of a task; null while it waits for another one. */
function keyIn({ verdicts }: Plan, task: Task | undefined): string | null {
  const verdict = task && verdicts.get(task);
  return verdict !== undefined && "key" in verdict ? verdict.key : null;
}

/** The batch system counts cores, memory and devices; lq counts the pools. */
function onlyPools(): (task: Task) => SlotRequest {
  const requests = new Map<Rule, SlotRequest>();
  return ({ rule }) => {
    let request = requests.get(rule);
    if (request === undefined)
      requests.set(rule, (request = { cpu: 0, memory: 0, gpu: null, pools: rule.slots.pools }));
    return request;
  };
}
