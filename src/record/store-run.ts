/** Stores the outputs of a run: objects first, then the action, so that an action never lacks an object. */
import { Disk } from "../files/disk.ts";
import { isBytecode } from "../files/ignore.ts";
import { readFile } from "../files/read-file.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import { filesUnder, treeDigest } from "../fingerprint/tree.ts";
import { partsOf, type Action, type StoredEntry, type StoredOutput } from "../store/action.ts";
import type { Store } from "../store/store.ts";
import { inLanes } from "../system/lanes.ts";

/** Number of files of a directory that are hashed at the same time. */
const LANES = 8;

/** What tasks leave in their outputs is stored, whatever its name, but for Python's bytecode. */
const NO_BYTECODE = { covers: (_: string, name: string) => isBytecode(name) };

/**
 * @param staged absolute paths of the finished outputs, in the task's order; a directory ends in "/"
 * @throws UserError if an output cannot be read or stored
 */
export async function storeRun(
  store: Store,
  { key, recipe, seconds }: { readonly key: string; readonly recipe: Recipe; readonly seconds: number },
  staged: readonly string[],
): Promise<Action> {
  const contents = new Map<string, Buffer>();
  const outputs = await Promise.all(staged.map((path) => readStaged(path, contents)));
  const action = { key, recipe, outputs, seconds, finished: Date.now() };
  await storeAction(store, action, staged, contents);
  return action;
}

/**
 * Repeats once if a collection removed objects that were there before.
 * @param contents the content of small files, by path, where it is at hand
 */
export async function storeAction(
  store: Store,
  action: Action,
  staged: readonly string[],
  contents: ReadonlyMap<string, Buffer> = new Map(),
): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    for (const [i, output] of action.outputs.entries())
      for (const { name, digest, executable } of partsOf(output)) {
        const file = (staged[i] ?? "") + name;
        await store.putFile(file, digest, executable, contents.get(file));
      }
    await store.putAction(action);
    if (store.isComplete(action)) return;
  }
}

/**
 * @param staged absolute path of an output; a directory ends in "/"
 * @param contents receives the content of an output that is a small file, by its path
 */
export async function readStaged(staged: string, contents?: Map<string, Buffer>): Promise<StoredOutput> {
  if (!staged.endsWith("/")) {
    const { content, ...file } = await readFile(staged);
    if (content !== null) contents?.set(staged, content);
    return { kind: "file", ...file };
  }
  const names = filesUnder("", staged, new Disk(NO_BYTECODE));
  const entries: StoredEntry[] = [];
  await inLanes(names.keys(), LANES, async (i) => {
    const name = names[i] ?? "";
    const { digest, executable } = await readFile(staged + name);
    entries[i] = { name, digest, executable };
  });
  return { kind: "directory", digest: treeDigest(entries), entries };
}
