/** Finds the task that makes an output, by path and by the directories above it. */
import type { Task } from "../model/model.ts";
import { ancestors, parentOf } from "../model/paths.ts";

interface Directory {
  /** The tasks that make outputs directly in it, one entry for each output. */
  readonly makers: Task[];
  readonly children: string[];
}

export class OutputIndex {
  readonly #makers = new Map<string, Task>();
  readonly #directories = new Map<string, Directory>([["", { makers: [], children: [] }]]);
  /** The first folders of outputs that are directories. A path below no such folder cannot lie inside an output. */
  readonly #roots = new Set<string>();

  /** Adds an output. @returns the other task that already makes this path; then nothing is added */
  add(path: string, task: Task): Task | undefined {
    const other = this.#makers.get(path);
    if (other) return other;
    this.#makers.set(path, task);
    if (path.endsWith("/")) this.#roots.add(rootOf(path));
    this.#directory(parentOf(path)).makers.push(task);
    return undefined;
  }

  exact(path: string): Task | undefined {
    return this.#makers.get(path);
  }

  /** The task that makes the path, or a directory that contains it. */
  producer(path: string): Task | undefined {
    const exact = this.#makers.get(path);
    if (exact || !this.#roots.has(rootOf(path))) return exact;
    for (const directory of ancestors(path)) {
      const maker = this.#makers.get(directory);
      if (maker) return maker;
    }
    return undefined;
  }

  /** The tasks that make outputs below a directory, each once; "" is the project. */
  under(directory: string): Task[] {
    const found = new Set<Task>();
    const open = [directory];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const inside = this.#directories.get(next);
      if (!inside) continue;
      for (const task of inside.makers) found.add(task);
      for (const child of inside.children) open.push(child);
    }
    return [...found];
  }

  paths(): IterableIterator<[string, Task]> {
    return this.#makers.entries();
  }

  /** Directories with outputs in them, at any depth. */
  directories(): IterableIterator<string> {
    return this.#directories.keys();
  }

  #directory(path: string): Directory {
    const known = this.#directories.get(path);
    if (known) return known;
    const made: Directory = { makers: [], children: [] };
    this.#directories.set(path, made);
    this.#directory(parentOf(path)).children.push(path);
    return made;
  }
}

/** "labels/a/b.nii" → "labels", "/mnt/ct/a" → "" */
function rootOf(path: string): string {
  const end = path.indexOf("/");
  return end < 0 ? path : path.slice(0, end);
}
