/** Reads from a snapshot what an incremental session needs. */
import type { Seen, Swept } from "../files/files.ts";
import type { Signature } from "../files/signature.ts";
import type { Producers } from "../fingerprint/tree.ts";
import { ancestors } from "../model/paths.ts";
import { readGraphSnapshot, tasksBehind, type GraphSnapshot, type TaskPosition } from "./graph-snapshot.ts";
import { indexOf, isGraphSame, pathOf, type Asked, type FileNumber } from "./snapshot.ts";

/** The snapshot that an incremental session starts from. */
export interface Base extends Asked {
  readonly graph: GraphSnapshot;
  /** The session's tasks. */
  readonly positions: readonly TaskPosition[];
  /** The files that these tasks read and make, by path. */
  readonly files: ReadonlyMap<string, FileNumber>;
}

/** @returns null if a full build is necessary */
export function baseOf(root: string, { snapshot, changed }: Asked): Base | null {
  const { head } = snapshot;
  // Check again: since `askSnapshot`, the pipeline was read and another build may have ended.
  if (head.graph === null || !isGraphSame(root, snapshot)) return null;
  const graph = readGraphSnapshot(root, head.graph);
  const positions = graph && tasksBehind(graph, changed);
  if (graph === null || positions === null) return null;
  const files = new Map<string, FileNumber>();
  for (const position of positions)
    for (const list of [graph.reads.of(position), graph.makes.of(position)])
      for (const file of list) files.set(pathOf(snapshot, file), file);
  return { snapshot, changed, graph, positions, files };
}

/** The signatures and digests that the snapshot has for these files, without the files that changed. */
export function sweptFiles(base: Base, changed: readonly string[]): Swept {
  const lost = new Set(changed);
  return {
    get(path) {
      const file = base.files.get(path);
      return file === undefined || lost.has(path) ? undefined : new SnapshotFile(base, file);
    },
    delete: (path) => void lost.add(path),
  };
}

/**
 * Reads a value from the columns only when it is needed. There may be 100,000 files, most of them with one question.
 */
class SnapshotFile implements Seen {
  readonly racy = false;
  readonly #base: Base;
  readonly #file: FileNumber;

  constructor(base: Base, file: FileNumber) {
    this.#base = base;
    this.#file = file;
  }

  get signature(): Signature | null {
    const { snapshot } = this.#base;
    return snapshot.signatures.get(indexOf(snapshot, this.#file));
  }

  get digest(): string {
    return this.#base.graph.digests.get(this.#file);
  }
}

/** The producers of the whole graph. */
export function producersOf({ snapshot, graph }: Base): Producers {
  const folders = new Set(graph.folders.list);
  const isInFolder = (path: string): boolean =>
    folders.size > 0 && [...ancestors(path)].some((folder) => folders.has(folder));
  const known = new Map<string, readonly string[]>();
  const outputsUnder = (dir: string): readonly string[] => {
    const before = known.get(dir);
    if (before !== undefined) return before;
    const found = graph.folders.list.filter((path) => path.startsWith(dir) && path !== dir);
    for (const file of graph.makes.all()) {
      const path = pathOf(snapshot, file);
      if (path.startsWith(dir) && !isInFolder(path)) found.push(path);
    }
    known.set(dir, found);
    return found;
  };
  let all: ReadonlySet<string> | undefined;
  return {
    outputsUnder,
    makes: (path) => isInFolder(path) || (all ??= new Set(outputsUnder(""))).has(path),
  };
}
