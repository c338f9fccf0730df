import type { Listener } from "./events.ts";

/** A view shows a build in one way. */
export interface View {
  readonly listener: Listener;
  /** Writes the rest. Resolves when everything is written. */
  close(): Promise<void>;
}
