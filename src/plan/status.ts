/** Status: what each task of a request is, and why. Runs and writes nothing, and needs no lock. */
import { makePlan, type Plan } from "./plan.ts";
import type { Freshness } from "../model/model.ts";
import type { Request } from "../session/request.ts";
import { openReadonlySession } from "../session/session.ts";

export interface TaskStatus {
  readonly id: string;
  readonly rule: string;
  readonly freshness: Freshness;
}

/**
 * @returns one entry for each task that the request covers, as far as the graph can be known; a task comes
 *   after those it depends on unless one of them is pending.
 * @throws UserError as `build` does for a request or a pipeline that is wrong
 */
export async function status(request: Request): Promise<readonly TaskStatus[]> {
  const session = openReadonlySession(request);
  return statusOf(await makePlan(session, false));
}

export function statusOf({ selected, verdicts, blockers }: Plan): readonly TaskStatus[] {
  const decided = [...verdicts].flatMap(([{ id, rule }, verdict]) =>
    verdict.kind === "missing" ? [] : [{ id, rule: rule.name, freshness: verdict.freshness }],
  );
  const pending = [...selected.tasks]
    .filter((task) => (verdicts.get(task)?.kind ?? "missing") === "missing")
    .map((task): TaskStatus => {
      const on = blockers(task).map(({ id }) => id);
      return { id: task.id, rule: task.rule.name, freshness: { state: "pending", on } };
    });
  return [...decided, ...pending];
}
