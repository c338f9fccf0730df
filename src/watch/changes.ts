/** Watches a project's files, and collects changes into bursts. */
import { watch } from "chokidar";
import { isAbsolute, relative } from "node:path";
import { CACHE } from "../model/paths.ts";

/** Changes within this time of each other belong to one burst. */
const QUIET_MS = 80;
const IGNORED = /(^|\/)(node_modules|\.git)(\/|$)/;

export class Changes {
  readonly #root: string;
  readonly #watcher: ReturnType<typeof watch>;
  readonly #paths = new Set<string>();
  /** Called when a burst is over. */
  #notify: () => void = () => undefined;
  #quiet: NodeJS.Timeout | undefined;

  /** Resolves when the watcher is ready to see every change. It ignores lq's cache, version control and packages. */
  static async of(root: string): Promise<Changes> {
    const changes = new Changes(root);
    await new Promise<void>((resolve) => changes.#watcher.once("ready", resolve));
    return changes;
  }

  private constructor(root: string) {
    this.#root = root;
    this.#watcher = watch(root, { ignoreInitial: true, ignored: (path) => this.#isIgnored(path) });
    this.#watcher.on("all", (event, path) => {
      if (event !== "addDir" && event !== "unlinkDir") this.#add(path);
    });
  }

  /** Also watches files outside the project. */
  also(paths: readonly string[]): void {
    this.#watcher.add([...paths]);
  }

  /** Resolves when a burst is over and its paths have not been taken yet. */
  burst(): Promise<void> {
    return new Promise((resolve) => {
      this.#notify = resolve;
      if (this.#paths.size > 0 && this.#quiet === undefined) resolve();
    });
  }

  /** The paths that changed since the last call: relative in the project, absolute outside it. */
  take(): readonly string[] {
    const paths = [...this.#paths].sort();
    this.#paths.clear();
    return paths;
  }

  async close(): Promise<void> {
    clearTimeout(this.#quiet);
    await this.#watcher.close();
  }

  #add(path: string): void {
    const inside = relative(this.#root, path);
    this.#paths.add(inside.startsWith("..") ? path : inside);
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      this.#notify();
    }, QUIET_MS);
  }

  #isIgnored(path: string): boolean {
    const inside = relative(this.#root, path);
    if (inside.startsWith("..") || isAbsolute(inside)) return false;
    return `${inside}/`.startsWith(CACHE) || IGNORED.test(inside);
  }
}
