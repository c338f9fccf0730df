import type { Listener } from "./events.ts";

/** One way to show a build. */
export interface View {
  readonly listener: Listener;
  /** Writes what is left. Resolves when everything is written. */
  close(): Promise<void>;
}
