import type { Listener } from "./events.ts";

/** What shows a build to somebody. */
export interface View {
  readonly listener: Listener;
  /** Resolves when everything is written. */
  close(): Promise<void>;
}
