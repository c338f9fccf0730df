import { makePlan } from "../build/plan.ts";
import { openSession, type Session } from "../build/session.ts";
import { UserError } from "../errors.ts";
import type { Task } from "../model.ts";
import type { Selected } from "../select/select.ts";
import type { Project } from "./options.ts";

/** The graph as far as it can be known without running anything, and what of it the targets need. */
export async function planned(
  { pipeline, cwd }: Project,
  targets: readonly string[],
): Promise<{ readonly session: Session; readonly selected: Selected }> {
  const session = openSession({ pipeline, cwd, targets }, { readonly: true, notice: () => undefined });
  const { selected } = await makePlan(session, false);
  return { session, selected };
}

/** The tasks that targets themselves name. Throws a UserError if there are none (yet). */
export async function tasksNamed(project: Project, targets: readonly string[]): Promise<readonly Task[]> {
  const { selected } = await planned(project, targets);
  if (selected.named.size === 0) {
    throw new UserError({
      message: `no task of "${targets.join(" ")}" is known yet`,
      hint: "it depends on a file that has to be built first",
    });
  }
  return [...selected.named];
}
