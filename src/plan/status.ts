/** Status: says for each task of a request whether it is fresh, and why not. Runs and writes nothing, needs no lock. */
import type { Verdict } from "./evaluate.ts";
import { makePlan, type Plan } from "./plan.ts";
import type { Freshness, Reason } from "../model/freshness.ts";
import type { Request } from "../session/request.ts";
import { openReadonlySession } from "../session/session.ts";

export interface TaskStatus {
  readonly id: string;
  readonly rule: string;
  readonly freshness: Freshness;
}

/**
 * @returns one entry for each task of the request that is known now. A task comes after those that it depends on,
 *   unless one of them is pending.
 * @throws UserError as `build` does if the request or the pipeline is wrong
 */
export async function status(request: Request): Promise<readonly TaskStatus[]> {
  const session = openReadonlySession(request);
  return statusOf(await makePlan(session, false));
}

export function statusOf({ selected, verdicts, blockers }: Plan): readonly TaskStatus[] {
  const decided = [...verdicts].flatMap(([{ id, rule }, verdict]) =>
    verdict.state === "lacks-input" ? [] : [{ id, rule: rule.name, freshness: freshnessOf(verdict) }],
  );
  const pending = [...selected.tasks]
    .filter((task) => (verdicts.get(task)?.state ?? "lacks-input") === "lacks-input")
    .map((task): TaskStatus => {
      const on = blockers(task).map(({ id }) => id);
      const verdict = verdicts.get(task);
      const lacks = verdict?.state === "lacks-input" ? verdict.paths : [];
      return { id: task.id, rule: task.rule.name, freshness: { state: "pending", on, lacks } };
    });
  return [...decided, ...pending];
}

/** Leaves out recipe and cached result, which do not belong in the JSON. */
function freshnessOf(verdict: Exclude<Verdict, { readonly state: "lacks-input" }>): Freshness {
  if (verdict.state === "fresh") return { state: "fresh", key: verdict.key };
  const { state, key, reasons } = verdict;
  return { state, key, reasons };
}

/** The inputs without which a task cannot run. */
export function lacksOf(freshness: Freshness): readonly string[] {
  return freshness.state === "pending" ? freshness.lacks : [];
}

export function reasonsOf(freshness: Freshness): readonly Reason[] {
  return "reasons" in freshness ? freshness.reasons : [];
}
