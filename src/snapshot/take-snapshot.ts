/** Writes a snapshot after a build, if every task of the request is fresh at its end. */
import { debug } from "../system/debug.ts";
import { join } from "node:path";
import { isRacy, type Signature } from "../files/signature.ts";
import { installation } from "../system/installation.ts";
import type { Recipe, RecipeInput } from "../fingerprint/recipe.ts";
import { DECIDING } from "../environment/environments.ts";
import type { Rule, Task } from "../model/model.ts";
import { LOCK_FILE, lockedRules } from "../lockfile/lockfile.ts";
import { STATE_LOG } from "../model/layout.ts";
import type { WrittenOutput } from "../state/records.ts";
import { Texts } from "./columns.ts";
import {
  environmentDigest,
  type FileNumber,
  Signatures,
  type SnapshotRequest,
  writeSnapshot,
} from "./snapshot.ts";
import { Digests, Lists, nameOf, type TaskPosition, writeGraphSnapshot } from "./graph-snapshot.ts";
import type { Plan } from "../plan/plan.ts";
import type { Session } from "../session/session.ts";

/** Files for which only the content counts. */
interface Contents {
  /** By path. */
  readonly numbers: ReadonlyMap<string, FileNumber>;
  /** By number. */
  readonly digests: readonly string[];
}

/**
 * Writes nothing if a task is not fresh, if a file changed during the build, or if a file is so new that another change
 * could leave the same signature. Also writes nothing if a rule names tools, whose versions every build asks for.
 * The state must be closed.
 *
 * @param notices what each command says again while the snapshot holds
 */
export function takeSnapshot(
  session: Session,
  plan: Plan,
  { request, since }: SnapshotRequest,
  notices: readonly string[],
): void {
  const { root, disk, files } = session;
  const tasks = freshTasks(plan);
  const rules = new Set([...tasks.keys()].map(({ rule }) => rule));
  // No snapshot of an empty request, so that each run explains again why it is empty.
  if (tasks.size === 0 || tasks.size < plan.selected.tasks.size) return notTaken("not every task is fresh");
  if ([...rules].some(({ tools }) => tools.length > 0)) return notTaken("a rule names tools");
  if (!disk.stillHolds() || !files.unchanged)
    return notTaken("files changed during the build, or just before");

  const structure = new Map<string, Signature | null>();
  for (const file of session.graph.pipeline.files) {
    const signature = disk.signature(join(root, file));
    if (signature !== null && isRacy(signature, since)) return notTaken(`${file} is too new`);
    structure.set(file, signature);
  }
  for (const [path, signature] of disk.answers()) structure.set(projectPath(root, path), signature);
  // lq only appends to the state log or replaces it, so its size or inode shows every change. The stamp shows a new lq.
  const known = [join(root, STATE_LOG), join(installation(), "dist/.stamp")];
  // A build repairs lq.lock even if all tasks are fresh, so its signature counts.
  if (lockedRules(session.graph.pipeline).size > 0) known.push(join(root, LOCK_FILE));
  for (const file of known) structure.set(projectPath(root, file), disk.signature(file));
  const numbers = new Map<string, FileNumber>();
  const signatures: Signature[] = [];
  const digests: string[] = [];
  for (const [path, { signature, digest, racy }] of files.seen()) {
    const isOpen = signature !== null && digest === undefined && isRacy(signature, disk.since);
    if (racy || isOpen) return notTaken(`${path} is too new`);
    if (structure.has(path)) continue;
    if (signature === null || digest === undefined) structure.set(path, signature);
    else {
      numbers.set(path, digests.length as FileNumber);
      signatures.push(signature);
      digests.push(digest);
    }
  }
  for (const [absolute, signature] of disk.peekedAnswers()) {
    const path = projectPath(root, absolute);
    if (!numbers.has(path)) structure.set(path, signature);
  }

  const named = [...rules].flatMap(({ env }) =>
    [...env].flatMap(([name, value]) => (value === null ? name : [])),
  );
  const isProgram = ({ code, environment: { venv, conda } }: Rule): boolean =>
    code.length > 0 || venv !== null || conda !== null;
  const environment = [...named, ...([...rules].some(isProgram) ? DECIDING : [])];
  writeSnapshot(root, {
    head: {
      request,
      tasks: tasks.size,
      notices,
      environment: environment.map((name) => [name, environmentDigest(process.env[name])]),
      structure: structure.size,
      graph: writeGraph(session, tasks, { numbers, digests }),
    },
    signatures: Signatures.of([...structure.values(), ...signatures]),
    paths: Texts.of([...structure.keys(), ...numbers.keys()]),
  });
  debug.snapshot?.(`taken; tasks: ${tasks.size}`);
}

function notTaken(why: string): void {
  debug.snapshot?.(`not taken: ${why}`);
}

/** The fresh tasks with their inputs. Each task comes after the tasks that it depends on. */
function freshTasks({ verdicts }: Plan): ReadonlyMap<Task, Recipe["inputs"]> {
  const fresh = new Map<Task, Recipe["inputs"]>();
  for (const [task, verdict] of verdicts) if (verdict.state === "fresh") fresh.set(task, verdict.inputs);
  return fresh;
}

/** @returns the checksum of the graph snapshot; null if a task's record is not found */
function writeGraph(
  { root, graph, state }: Session,
  inputs: ReadonlyMap<Task, Recipe["inputs"]>,
  { numbers, digests }: Contents,
): number | null {
  const tasks = [...inputs.keys()];
  const places = Float64Array.from(tasks, ({ id }) => state.placeOf(id) ?? NaN);
  if (places.includes(NaN)) return null;
  const positions = new Int32Array(graph.tasks.length).fill(-1);
  for (const [position, { index }] of tasks.entries()) positions[index] = position;
  const numbered = (paths: readonly string[]) => paths.flatMap((path) => numbers.get(path) ?? []);
  const positioned = (found: readonly Task[]) =>
    found.map(({ index }) => (positions[index] ?? -1) as TaskPosition).filter((position) => position >= 0);
  const shapers = [...graph.axisFiles].flatMap((file) => graph.producer(file) ?? []);
  return writeGraphSnapshot(root, {
    head: { others: state.otherPlaces(), shaping: positioned([...new Set(shapers)]) },
    places,
    digests: Digests.from(digests),
    reads: Lists.from(each(inputs.values(), (read) => numbered(read.flatMap(filesRead)))),
    makes: Lists.from(each(tasks, ({ id }) => numbered((state.last(id)?.outputs ?? []).flatMap(filesMade)))),
    makers: Lists.from(each(tasks, (task) => positioned(graph.dependencies(task)))),
    names: Texts.of(tasks.map(nameOf)),
    folders: Texts.of(
      tasks.flatMap(({ outputs }) => outputs.flatMap(({ path }) => (path.endsWith("/") ? path : []))),
    ),
  });
}

function filesRead({ path, entries, names }: RecipeInput): readonly string[] {
  if (names !== undefined) return [];
  return entries === undefined ? [path] : entries.map(({ name }) => path + name);
}

/** The files of an output: itself, or the files in it. */
export function filesMade(output: WrittenOutput): readonly string[] {
  return output.kind === "file" ? [output.path] : output.entries.map(({ name }) => output.path + name);
}

/** Relative to the project, like the graph's paths; unchanged outside the project. */
export function projectPath(root: string, absolute: string): string {
  return absolute.startsWith(`${root}/`) ? absolute.slice(root.length + 1) : absolute;
}

/** Makes one list at a time: there may be 100,000. */
function* each<T, R>(items: Iterable<T>, make: (item: T) => R): Generator<R> {
  for (const item of items) yield make(item);
}
