/** Lists the files in a store's folder, without a build. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../model/errors.ts";
import { isRemovedName, ifThere } from "../files/network-files.ts";
import { decodeAction, type Action } from "./action.ts";
import { ACCEPTED, ACTIONS, OBJECTS } from "../model/layout.ts";

export interface StoredFile {
  /** Absolute path. */
  readonly file: string;
  /** The digest of an object or the key of an action; null for any other file. */
  readonly name: string | null;
  /** Whether it is unfinished: its writer still writes, or was killed. */
  readonly temporary: boolean;
  readonly size: number;
  /** Milliseconds since 1970; for an action, when it was last used. */
  readonly modified: number;
}

export function objectsIn(folder: string): Generator<StoredFile> {
  return filesIn(join(folder, OBJECTS), /^([0-9a-f]{62})$/);
}

/** Lists the actions, with those that projects have accepted. */
export function* actionsIn(folder: string): Generator<StoredFile> {
  const accepted = join(folder, ACCEPTED);
  const folders = namesIn(accepted).map((project) => join(accepted, project));
  for (const each of [join(folder, ACTIONS), ...folders]) yield* filesIn(each, /^([0-9a-f]{62})\.json$/);
}

export function objectFile(folder: string, digest: string): string {
  return join(folder, OBJECTS, digest.slice(0, 2), digest.slice(2));
}

/** Null if it is damaged or gone. @throws the system's error if it cannot be read */
export function readAction({ file, name }: StoredFile): Action | null {
  try {
    const text = name === null ? null : ifThere(() => readFileSync(file, "utf8"));
    return name === null || text === null ? null : decodeAction(text, name);
  } catch (error) {
    if (["EISDIR", "ELOOP"].includes(errorCode(error) ?? "")) return null;
    throw error;
  }
}

/** The digests of all objects of an action. */
export function digestsOf({ outputs }: Pick<Action, "outputs">): readonly string[] {
  return outputs.flatMap((output) =>
    output.kind === "file" ? [output.digest] : output.entries.map(({ digest }) => digest),
  );
}

/** The names that src/store/stored-files.ts gives to unfinished files. */
const TEMPORARY = /\.[0-9a-f]{16}-\d+$/;

function* filesIn(folder: string, pattern: RegExp): Generator<StoredFile> {
  for (const prefix of namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of namesIn(join(folder, prefix))) {
      const file = join(folder, prefix, name);
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      const rest = pattern.exec(name)?.[1];
      yield {
        file,
        name: rest === undefined ? null : prefix + rest,
        temporary: TEMPORARY.test(name),
        size: stats.size,
        modified: stats.mtimeMs,
      };
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !isRemovedName(name));
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}
