/** The mark of results that were accepted and not made, as it is told wherever they are. */
import type { Session } from "../session/session.ts";
import type { Accepted } from "../store/action.ts";
import { localTime } from "./local-time.ts";

/** Of what a task has in place; null: it was made under its key. */
export function acceptedOf({ state, store }: Pick<Session, "state" | "store">, id: string): Accepted | null {
  const key = state.last(id)?.key;
  return (typeof key === "string" ? store.action(key)?.accepted : undefined) ?? null;
}

/** "accepted by hand 2026-03-01 12:00; made with key 0123456789ab" */
export function acceptedText({ at, key }: Accepted): string {
  return `accepted by hand ${localTime(at)}; made with key ${key.slice(0, 12)}`;
}
