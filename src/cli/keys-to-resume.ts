/** Finds the tasks that may resume, for `lq cache gc`. */
import { upcomingExpansions } from "../plan/plan.ts";
import { userErrorOf } from "../model/errors.ts";
import type { Project } from "./options.ts";
import { planned } from "./tasks-named.ts";

/**
 * Keys of all tasks that may resume from their scratch folder; null if some keys depend on tasks that must run first.
 */
export async function keysToResume({ pipeline, cwd }: Project): Promise<ReadonlySet<string> | null> {
  try {
    const { session, plan } = await planned({ pipeline: { ...pipeline, default: [] }, cwd }, []);
    if (upcomingExpansions(session, plan).some(({ rule }) => rule.resume)) return null;
    const keys = [...plan.selected.tasks]
      .filter(({ rule }) => rule.resume)
      .map((task) => {
        const verdict = plan.verdicts.get(task);
        return verdict === undefined || verdict.state === "lacks-input" ? null : verdict.key;
      });
    return keys.includes(null) ? null : new Set(keys.filter((key) => key !== null));
  } catch (error) {
    // The graph is broken. `lq status` reports why.
    if (userErrorOf(error) === undefined) throw error;
    return null;
  }
}
