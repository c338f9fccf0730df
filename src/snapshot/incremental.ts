/**
 * A build of what lies behind a few changed files, where a snapshot says that all else is as it was: the same build,
 * over a graph of these tasks alone. What other tasks make is for them what sources are.
 *
 * The snapshot only shortens the way to what a look at everything would find. So whatever else differs (the pipeline,
 * params, code, folders, what lq has on record, files that are gone) is left to that look.
 */
import { dirname, join } from "node:path";
import { Disk } from "../files/disk.ts";
import { Graph } from "../expand/graph.ts";
import { ancestors } from "../model/paths.ts";
import { FileDigests, type Seen, type Swept } from "../files/files.ts";
import type { Producers } from "../fingerprint/tree.ts";
import { lockedRules } from "../lockfile/lockfile.ts";
import type { Task } from "../model/model.ts";
import { STATE_LOG } from "../model/layout.ts";
import { State } from "../state/state.ts";
import { isGraphSame, writeSnapshot, type Asked, type Snapshot } from "./snapshot.ts";
import {
  parseName,
  readGraphSnapshot,
  tasksBehind,
  writeGraphSnapshot,
  type GraphSnapshot,
} from "./graph-snapshot.ts";
import { sameSignature, type Signature } from "../files/signature.ts";
import { hasOwnStore, openStore } from "../session/open-store.ts";
import type { Request } from "../session/request.ts";
import { filesMade, projectPath } from "./take-snapshot.ts";
import { assemble, type Session, type SessionOptions } from "../session/session.ts";

/** What a part goes back to. */
interface Base extends Asked {
  readonly graph: GraphSnapshot;
  /** Where the part's tasks are in that graph. */
  readonly positions: readonly number[];
  /** The files that these tasks read and make, with their numbers. */
  readonly files: ReadonlyMap<string, number>;
}

export class IncrementalSession {
  readonly session: Session;
  readonly #base: Base;

  private constructor(session: Session, base: Base) {
    this.session = session;
    this.#base = base;
  }

  /**
   * To be called by the holder of the project's lock, after the pipeline was loaded.
   * @returns null if everything has to be looked at
   */
  static open(
    { pipeline }: Request,
    asked: Asked,
    { notice, hashing = {} }: Omit<SessionOptions, "readonly">,
  ): IncrementalSession | null {
    const { root } = pipeline;
    const base = baseOf(root, asked);
    // What belongs to all outputs together, a part cannot keep up.
    if (base === null || lockedRules(pipeline).size > 0 || !hasOwnStore(pipeline)) return null;
    const { snapshot, graph: whole, positions } = base;
    const changed = base.changed.map((index) => snapshot.paths.list[index] ?? "");
    const disk = new Disk();
    const graph = new Graph(pipeline, disk, whole.names.pick(positions).map(parseName));
    if (!listPlaces(root, disk, graph.tasks, base)) return null;
    const places = positions.map((position) => whole.places[position] ?? 0);
    const state = State.partial(root, [...whole.head.others, ...places]);
    if (state === null) return null;
    const session = assemble({
      root,
      readonly: false,
      graph,
      state,
      store: openStore(pipeline, notice),
      disk,
      files: new FileDigests(root, state, disk, sweptFiles(base, changed)),
      changed,
      hashing,
      producers: producersOf(base),
    });
    const tasks = new Set(graph.tasks);
    const select = async () => {
      await session.fingerprinter.prepare(graph.tasks.map(({ rule }) => rule));
      return { tasks, named: tasks, expansions: new Set<never>(), unmatched: [] };
    };
    return new IncrementalSession({ ...session, select }, base);
  }

  /** How many tasks of the request are as they were. */
  get others(): number {
    return this.#base.snapshot.head.tasks - this.#base.positions.length;
  }

  /**
   * Brings the snapshot up to date, for when all tasks have ended well and the state is closed. It is left as it is,
   * and holds no more, if there are other files than before, or one could have changed unseen.
   */
  updateSnapshot(): void {
    const { root } = this.session;
    const { snapshot, graph } = this.#base;
    if (!this.#updateFiles() || !this.#updateStructure()) return;
    const head = this.#updatePlaces();
    writeSnapshot(root, {
      ...snapshot,
      head: { ...snapshot.head, graph: writeGraphSnapshot(root, { ...graph, head }) },
    });
  }

  #updateFiles(): boolean {
    const {
      graph: { tasks },
      state,
      files,
    } = this.session;
    const { snapshot, changed, graph, positions, files: numbers } = this.#base;
    for (const [i, { id }] of tasks.entries()) {
      const made = state.last(id)?.outputs.flatMap(filesMade) ?? [];
      if (made.length !== graph.makes.of(positions[i] ?? 0).length) return false;
    }
    const { structure } = snapshot.head;
    const unseen = new Set(changed);
    for (const [path, { signature, digest, racy }] of files.seen()) {
      const file = numbers.get(path);
      if (file === undefined || signature === null || digest === undefined || racy) return false;
      snapshot.signatures.set(structure + file, signature);
      graph.digests.set(file, digest);
      unseen.delete(structure + file);
    }
    return files.steady && unseen.size === 0;
  }

  #updateStructure(): boolean {
    const { root, disk } = this.session;
    const { snapshot } = this.#base;
    if (!disk.stands()) return false;
    const indices = structureOf(snapshot);
    disk.signature(`${root}/${STATE_LOG}`);
    for (const [absolute, signature] of disk.told()) {
      const index = indices.get(projectPath(root, absolute));
      if (index === undefined) return false;
      snapshot.signatures.set(index, signature);
    }
    return true;
  }

  #updatePlaces(): GraphSnapshot["head"] {
    const {
      graph: { tasks },
      state,
    } = this.session;
    const { graph, positions } = this.#base;
    for (const [i, { id }] of tasks.entries()) graph.places[positions[i] ?? 0] = state.placeOf(id) ?? NaN;
    return { ...graph.head, others: state.otherPlaces() };
  }
}

function baseOf(root: string, { snapshot, changed }: Asked): Base | null {
  const { head, paths } = snapshot;
  // The pipeline was read, and another build may have ended, since the snapshot was asked.
  if (head.graph === null || !isGraphSame(root, snapshot)) return null;
  const graph = readGraphSnapshot(root, head.graph);
  const positions =
    graph &&
    tasksBehind(
      graph,
      changed.map((index) => index - head.structure),
    );
  if (graph === null || positions === null) return null;
  const files = new Map<string, number>();
  for (const position of positions)
    for (const list of [graph.reads.of(position), graph.makes.of(position)])
      for (const file of list) files.set(paths.list[head.structure + file] ?? "", file);
  return { snapshot, changed, graph, positions, files };
}

/**
 * Lists the folders of outputs that the snapshot goes by, while they are as it says: outputs that are put in place change
 * them, and then only their names can tell that nobody else was there. (Those that are inputs are listed anyway, when
 * it is the turn of their task.)
 * @returns false if one is not as the snapshot says any more
 */
function listPlaces(root: string, disk: Disk, tasks: readonly Task[], { snapshot }: Base): boolean {
  const structure = structureOf(snapshot);
  const inputs = new Set(tasks.flatMap((task) => task.inputs.map(({ path }) => path)));
  const outputs = tasks.flatMap((task) => task.outputs.map(({ path }) => path));
  const folders = new Set(outputs.map((path) => dirname(join(root, path))));
  for (const folder of folders) {
    const path = projectPath(root, folder);
    const index = structure.get(path);
    if (index === undefined || inputs.has(`${path}/`)) continue;
    try {
      disk.list(folder);
    } catch {
      return false;
    }
    if (!sameSignature(disk.signature(folder), snapshot.signatures.get(index))) return false;
  }
  return true;
}

/** Where the paths are that the graph was made of. */
function structureOf({ head, paths }: Snapshot): ReadonlyMap<string, number> {
  return new Map(paths.list.slice(0, head.structure).map((path, i) => [path, i]));
}

/** What the snapshot's answer was on these files, but for those that changed. */
function sweptFiles(base: Base, changed: readonly string[]): Swept {
  const lost = new Set(changed);
  return {
    get(path) {
      const file = base.files.get(path);
      return file === undefined || lost.has(path) ? undefined : new SnapshotFile(base, file);
    },
    delete: (path) => void lost.add(path),
  };
}

/** Reads its columns when asked: there may be 100,000, and most are asked for one or the other. */
class SnapshotFile implements Seen {
  readonly racy = false;
  readonly #base: Base;
  readonly #file: number;

  constructor(base: Base, file: number) {
    this.#base = base;
    this.#file = file;
  }

  get signature(): Signature | null {
    const { snapshot } = this.#base;
    return snapshot.signatures.get(snapshot.head.structure + this.#file);
  }

  get digest(): string {
    return this.#base.graph.digests.get(this.#file);
  }
}

/** Who makes what in the whole graph. */
function producersOf({ snapshot, graph }: Base): Producers {
  const { structure } = snapshot.head;
  const folders = new Set(graph.folders.list);
  const isInFolder = (path: string): boolean =>
    folders.size > 0 && [...ancestors(path)].some((folder) => folders.has(folder));
  const known = new Map<string, readonly string[]>();
  const outputsUnder = (dir: string): readonly string[] => {
    const before = known.get(dir);
    if (before !== undefined) return before;
    const found = graph.folders.list.filter((path) => path.startsWith(dir) && path !== dir);
    for (const file of graph.makes.items) {
      const path = snapshot.paths.list[structure + file] ?? "";
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
