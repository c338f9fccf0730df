/** Finds and writes the mark of accepted outputs, in the same form for all commands. */
import type { Session } from "../session/session.ts";
import type { Accepted } from "../store/action.ts";
import { localTime } from "./local-time.ts";

/** The mark of a task's outputs in place; null if a run made them under the present key. */
export function acceptedOf({ state, store }: Pick<Session, "state" | "store">, id: string): Accepted | null {
  const key = state.last(id)?.key;
  return (typeof key === "string" ? store.action(key)?.accepted : undefined) ?? null;
}

/** "accepted by hand 2026-03-01 12:00; made with key 0123456789ab" */
export function acceptedText({ at, key }: Accepted): string {
  return `accepted by hand ${localTime(at)}; made with key ${key.slice(0, 12)}`;
}
