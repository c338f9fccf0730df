/** Finds builds of the project, in any process and on any machine, and reports their events. */
import type { EventLine } from "../events/event-lines.ts";
import { EventFile, newestEvents, type BuildState } from "../events/follow-events.ts";
import { brief, LiveBuild } from "./live-build.ts";
import type { Message, WatchedBuild } from "./messages.ts";

export class BuildWatcher {
  readonly #root: string;
  readonly #send: (message: Message) => void;
  #number: number | null = null;
  #file: EventFile | null = null;
  #live: LiveBuild | null = null;
  #state: BuildState = "ended";

  constructor(root: string, send: (message: Message) => void) {
    this.#root = root;
    this.#send = send;
  }

  get watched(): WatchedBuild | null {
    if (this.#live === null || this.#file === null) return null;
    return { state: this.#state, heard: this.#file.heard, build: this.#live.data() };
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Reads new events. @returns whether a build has started or ended since the last call */
  look(): boolean {
    const newest = newestEvents(this.#root);
    const isOther = newest !== null && newest !== this.#number;
    if (isOther) {
      this.#number = newest;
      this.#file = new EventFile(this.#root, newest);
      this.#live = null;
    }
    const lines = this.#file?.read() ?? [];
    if (this.#file === null || this.#file.head === null) return false;
    // The last call may have found the file before its first line was written.
    const begins = this.#live === null;
    const live = (this.#live ??= new LiveBuild(this.#file.head));
    for (const line of lines) live.apply(line);
    const before = this.#state;
    this.#state = this.#file.state();
    if (begins) this.#send({ kind: "build", watched: this.watched! });
    else this.#sendLines(live.head.build, lines);
    if (before !== this.#state) {
      const { heard } = this.#file;
      this.#send({ kind: "state", build: live.head.build, state: this.#state, heard });
    }
    return begins || before !== this.#state;
  }

  #sendLines(build: number, lines: readonly EventLine[]): void {
    const told = lines.flatMap((line) => brief(line) ?? []);
    if (told.length > 0) this.#send({ kind: "lines", build, lines: told });
  }
}
