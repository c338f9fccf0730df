/**
 * Builds only the tasks behind a few changed files, if a snapshot shows that nothing else has changed. It is the same
 * build over a graph that has only these tasks. The outputs of all other tasks count as sources.
 *
 * This finds what a full build would find, in less time. If anything else has changed (the pipeline, params, code,
 * folders, the records, removed files), it leaves the work to a full build.
 */
import { dirname, join } from "node:path";
import { Graph } from "../expand/graph.ts";
import type { Disk } from "../files/disk.ts";
import { FileDigests } from "../files/files.ts";
import { sameSignature } from "../files/signature.ts";
import { lockedRules } from "../lockfile/lockfile.ts";
import { STATE_LOG } from "../model/layout.ts";
import type { Task } from "../model/model.ts";
import { hasOwnStore, openStore } from "../session/open-store.ts";
import type { Request } from "../session/request.ts";
import { assemble, diskOf, type Session, type SessionOptions } from "../session/session.ts";
import { State } from "../state/state.ts";
import { baseOf, producersOf, sweptFiles, type Base } from "./base.ts";
import { parseName, writeGraphSnapshot, type GraphSnapshot } from "./graph-snapshot.ts";
import { indexOf, pathOf, structureOf, writeSnapshot, type Asked } from "./snapshot.ts";
import { filesMade, projectPath } from "./take-snapshot.ts";

export class IncrementalSession {
  readonly session: Session;
  readonly #base: Base;

  private constructor(session: Session, base: Base) {
    this.session = session;
    this.#base = base;
  }

  /**
   * Only the holder of the project's lock may call this, after the pipeline was loaded.
   * @returns null if a full build is necessary
   */
  static open(
    { pipeline }: Request,
    asked: Asked,
    { notice, hashing = {}, remote = null }: Omit<SessionOptions, "readonly">,
  ): IncrementalSession | null {
    const { root } = pipeline;
    const base = baseOf(root, asked);
    // lq.lock and the needs in a shared store cover all outputs, and this session knows only some.
    if (base === null || lockedRules(pipeline).size > 0 || !hasOwnStore(pipeline)) return null;
    const { snapshot, graph: whole, positions } = base;
    const changed = base.changed.map((file) => pathOf(snapshot, file));
    const disk = diskOf(pipeline);
    const graph = new Graph(pipeline, disk, whole.names.pick(positions).map(parseName));
    if (!listPlaces(root, disk, graph.tasks, base)) return null;
    const places = positions.map((position) => whole.places[position] ?? 0);
    const state = State.partial(root, [...whole.head.others, ...places]);
    if (state === null) return null;
    const session = assemble({
      root,
      readonly: false,
      mayLackInputs: true,
      graph,
      state,
      store: openStore(pipeline, notice),
      remote,
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

  /** How many tasks of the request are not part of this session. They are fresh. */
  get others(): number {
    return this.#base.snapshot.head.tasks - this.#base.positions.length;
  }

  /** Notices that every command repeats while the snapshot is valid. */
  get notices(): readonly string[] {
    return this.#base.snapshot.head.notices;
  }

  /**
   * Brings the snapshot up to date. Call this when all tasks have succeeded and the state is closed. If the set of
   * files changed, or if a file could have changed unseen, this leaves the old snapshot, which is no longer valid.
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
    for (const [i, position] of positions.entries()) {
      const made = state.last(tasks[i]?.id ?? "")?.outputs.flatMap(filesMade) ?? [];
      if (made.length !== graph.makes.of(position).length) return false;
    }
    const unseen = new Set(changed);
    for (const [path, { signature, digest, racy }] of files.seen()) {
      const file = numbers.get(path);
      if (file === undefined || signature === null || digest === undefined || racy) return false;
      snapshot.signatures.set(indexOf(snapshot, file), signature);
      graph.digests.set(file, digest);
      unseen.delete(file);
    }
    return files.unchanged && unseen.size === 0;
  }

  #updateStructure(): boolean {
    const { root, disk } = this.session;
    const { snapshot } = this.#base;
    if (!disk.stillHolds()) return false;
    const indices = structureOf(snapshot);
    disk.signature(`${root}/${STATE_LOG}`);
    for (const [absolute, signature] of disk.answers()) {
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
    for (const [i, position] of positions.entries())
      graph.places[position] = state.placeOf(tasks[i]?.id ?? "") ?? NaN;
    return { ...graph.head, others: state.otherPlaces() };
  }
}

/**
 * Lists the folders of outputs that the snapshot has, before the build changes them. When the build puts outputs in
 * place, a folder's signature changes, and only its names show whether another program changed it too. Folders that
 * are inputs are listed later, when lq evaluates their task.
 * @returns false if a folder no longer has the signature of the snapshot
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
