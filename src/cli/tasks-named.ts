/** Finds the tasks of targets, for commands that run nothing. */
import { makePlan, type Plan } from "../plan/plan.ts";
import { openReadonlySession, type Session } from "../session/session.ts";
import { UserError } from "../model/errors.ts";
import type { HashOptions } from "../files/hash-many.ts";
import type { Task } from "../model/model.ts";
import type { Selected } from "../select/select.ts";
import type { Project } from "./options.ts";

/** Plans a build of the targets: the graph as far as it is known without running anything, and the tasks they need. */
export async function planned(
  { pipeline, cwd }: Project,
  targets: readonly string[],
  hashing?: HashOptions,
): Promise<{ readonly session: Session; readonly selected: Selected; readonly plan: Plan }> {
  const session = openReadonlySession({ pipeline, cwd, targets, hashing });
  const plan = await makePlan(session, false);
  return { session, selected: plan.selected, plan };
}

/** The tasks that the targets name, without those that they need. @throws UserError if none are known (yet) */
export async function tasksNamed(project: Project, targets: readonly string[]): Promise<readonly Task[]> {
  const { selected } = await planned(project, targets);
  return namedOf(selected, targets);
}

/** @throws UserError if none are known (yet) */
export function namedOf({ named, expansions }: Selected, targets: readonly string[]): readonly Task[] {
  if (named.size > 0) return [...named];
  const [expansion] = expansions;
  throw new UserError({
    message: `no task of "${targets.join(" ")}" is known yet`,
    ...(expansion && {
      hint: `they are known when ${expansion.file} is up to date: lq build ${expansion.file}`,
    }),
  });
}
