/**
 * Stores finished outputs, moves them into place and records them. The order keeps everything consistent if lq is
 * killed at any instant: objects, action, the intent to place, the outputs, the record.
 */
import { setTimeout } from "node:timers/promises";
import { UserError } from "../model/errors.ts";
import { Disk } from "../files/disk.ts";
import { FileDigests } from "../files/files.ts";
import { differingFile, isLinkedFolder, isProtected, outputState, type OutputView } from "./outputs.ts";
import { isAsWritten, isExecutable } from "./difference.ts";
import { areInTheWay, straysIn } from "./strays.ts";
import { absolute } from "../model/paths.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import { filesUnder, type TreeEntry } from "../fingerprint/tree.ts";
import type { Task } from "../model/model.ts";
import { tickOf, type Signature } from "../files/signature.ts";
import { partsOf, type Action, type StoredOutput, type StoredRun } from "../store/action.ts";
import { place } from "./place.ts";
import { storeAction, storeRun } from "./store-run.ts";
import type { WrittenOutput } from "../state/records.ts";
import type { State } from "../state/state.ts";
import type { Store } from "../store/store.ts";

interface StagedRun {
  readonly task: Task;
  /** Absolute paths of the staged outputs, in the task's order; a directory ends in "/". */
  readonly staged: readonly string[];
  /** Project path of the attempt's log. */
  readonly log: string;
}

export interface FinishedRun extends StagedRun {
  readonly key: string;
  readonly recipe: Recipe;
  readonly seconds: number;
}

export interface StoredTaskRun extends StagedRun {
  readonly stored: StoredRun;
}

export class Recorder {
  readonly #root: string;
  readonly #state: State;
  readonly #store: Store;
  readonly #files: FileDigests;
  readonly #overwrite: boolean;
  /** Milliseconds on the monotonic clock. After this time, every edit of a placed output changes its signature. */
  #settledAt = 0;

  /** @param overwrite replace outputs even if lq did not make them */
  constructor({ root, state, store, files }: OutputView, { overwrite }: { readonly overwrite: boolean }) {
    this.#root = root;
    this.#state = state;
    this.#store = store;
    this.#files = files;
    this.#overwrite = overwrite;
  }

  /** Stores and records a run that succeeded. @throws UserError if an output cannot be read, stored or put in place */
  async recordRun({ key, recipe, seconds, ...run }: FinishedRun): Promise<void> {
    const stored = await storeRun(this.#store, { key, recipe, seconds }, run.staged);
    this.recordStored({ ...run, stored });
  }

  /** Records a run whose outputs are in the store. It does not read them. @throws UserError as `recordRun` */
  recordStored({ task, stored, staged, log }: StoredTaskRun): void {
    const { key, seconds, finished } = stored;
    const outputs = this.#place(task, stored.outputs, staged);
    this.#state.recordDone({ id: task.id, key, outputs, seconds, finished, log });
  }

  /** Records that the outputs in place, unchanged since the task's last run, are accepted under the action's key. */
  async recordAccepted(task: Task, action: Action): Promise<void> {
    const there = task.outputs.map(({ path }) => absolute(this.#root, path));
    if (this.#store.isComplete(action)) await this.#store.putAction(action);
    else await storeAction(this.#store, action, there);
    const last = this.#state.last(task.id);
    if (last !== undefined) this.#state.recordDone({ ...last, key: action.key });
  }

  /**
   * Puts a cached run's outputs in place. Outputs that are in place already are not touched.
   * @param staging absolute paths, one for each output of the task; a directory ends in "/"
   * @returns false if the cached content is damaged: the task has to run
   */
  async restore(task: Task, run: StoredRun, staging: readonly string[]): Promise<boolean> {
    const needed = run.outputs.map((output, i) =>
      this.#isInPlace(task, i, output) ? null : (staging[i] ?? null),
    );
    if (!(await this.#store.restore(run, needed))) return false;
    const outputs = this.#place(task, run.outputs, needed);
    const { key, seconds, finished } = run;
    // Record the time of the restore, because this time decides which of two tasks wrote a path last.
    this.#state.recordDone({
      id: task.id,
      key,
      outputs,
      seconds,
      finished: Math.max(finished, Date.now()),
      log: "",
    });
    return true;
  }

  /**
   * Waits until the file system's clock has ticked since the last output was put in place (a few milliseconds at
   * most). An edit after that gets another time of modification.
   */
  async settle(): Promise<void> {
    const left = this.#settledAt - performance.now();
    if (left > 0) await setTimeout(Math.ceil(left));
  }

  #place(task: Task, outputs: readonly StoredOutput[], staged: readonly (string | null)[]): WrittenOutput[] {
    const paths = task.outputs.map(({ path }) => path);
    const strays = paths.map((path, i) =>
      (staged[i] ?? null) === null ? [] : this.#protect(task, path, outputs[i]),
    );
    const intent = outputs.map((output, i) => written(paths[i] ?? "", output, () => UNKNOWN));
    this.#state.recordPlacing(task.id, intent);
    return outputs.map((output, i) => {
      const path = paths[i] ?? "";
      const from = staged[i] ?? null;
      if (from !== null) place(this.#root, from, path, strays[i]);
      if (from !== null && output.kind === "directory") this.#list(task, path, output.entries);
      return written(path, output, (file, digest) => {
        const signature = this.#files.learn(file, digest);
        this.#settledAt = Math.max(this.#settledAt, performance.now() + tickOf(signature));
        return signature;
      });
    });
  }

  /**
   * Checks the path again, because a user may have written there while the task ran.
   * @returns the strays there that stay
   * @throws UserError if somebody has written there
   */
  #protect({ id }: Task, path: string, output: StoredOutput | undefined): readonly string[] {
    const [root, state, store] = [this.#root, this.#state, this.#store];
    const files = new FileDigests(root, state, new Disk(this.#files.disk.ignore));
    const view = { root, state, store, files };
    const refuse = (file: string): never => {
      throw new UserError({
        message: `somebody wrote ${file} while ${id} ran: lq kept it, and the result of ${id} is in the cache`,
        hint: "move it away and build again, or build with -f to replace it",
      });
    };
    if (!this.#overwrite && isLinkedFolder(root, path)) refuse(path);
    if (!this.#overwrite && isProtected(outputState(view, id, path))) refuse(differingFile(view, id, path));
    if (output?.kind !== "directory") return [];
    const records = [state.last(id)?.outputs ?? [], state.owner(path)?.output ?? [], state.interrupted(id)];
    const written = records.flat().flatMap((each) => (each.kind === "directory" ? each.entries : []));
    return straysIn(root, files, path, written).filter((stray) => {
      const conflict = output.entries.find(({ name }) => areInTheWay(stray, name));
      if (conflict === undefined) return true;
      const digest = files.digest(path + stray) ?? "";
      const isKept = digest === conflict.digest || store.sizeOf(digest) > 0;
      if (!isKept && !this.#overwrite) refuse(path + stray);
      return false;
    });
  }

  /** Lists a folder that was just put in place, so that a snapshot has its present state. */
  #list({ id }: Task, folder: string, entries: readonly TreeEntry[]): void {
    const { disk } = this.#files;
    const before = this.#state.last(id)?.outputs.find(({ path }) => path === folder);
    if (before?.kind === "directory") this.#files.lose(before.entries.map(({ name }) => folder + name));
    disk.placed(absolute(this.#root, folder));
    // Another program has changed the folder already, so this build must not leave a snapshot.
    const counted = entries.filter(({ name }) => !disk.ignore.covers(folder, name));
    if (filesUnder(this.#root, folder, disk).length !== counted.length) this.#files.forget([]);
  }

  #isInPlace(task: Task, index: number, output: StoredOutput): boolean {
    const path = task.outputs[index]?.path ?? "";
    return (
      isAsWritten(this.#root, this.#files, { ...output, path }) &&
      partsOf(output).every(({ name, executable }) => !executable || isExecutable(this.#root, path + name))
    );
  }
}

const UNKNOWN: Signature = { size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };

function written(
  path: string,
  output: StoredOutput,
  signatureOf: (file: string, digest: string) => Signature,
): WrittenOutput {
  const { kind, digest } = output;
  const file = (name: string, part: string, executable: boolean) => ({
    digest: part,
    signature: signatureOf(path + name, part),
    ...(executable && { executable }),
  });
  if (kind === "file") return { kind, path, ...file("", digest, output.executable) };
  const entries = output.entries.map((entry) => {
    return { name: entry.name, ...file(entry.name, entry.digest, entry.executable) };
  });
  return { kind, path, digest, entries };
}
