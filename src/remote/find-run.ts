/** Asks a remote cache for the run of a key: `ac/KEY` lists the action's JSON and its objects, `cas/DIGEST` has each. */
import { sha256 } from "../system/digest.ts";
import { decodeActionResult, encodeActionResult, type ListedFile } from "./action-result.ts";
import type { BlobServer } from "./blob-server.ts";
import { checkAction, type RemoteRun } from "./trust.ts";
import { RemoteTrouble, WrongContent } from "./trouble.ts";

/** The path of the action's JSON among the output files. */
const ACTION_PATH = "action.json";
const OBJECT_PATH = "objects/";

/** Most bytes of an ActionResult (300,000 objects), and of an action's JSON, both of which are held in memory. */
const MOST_LIST = 64 << 20;
const MOST_ACTION = 256 << 20;

/** @returns null if it is not there @throws RemoteTrouble, or WrongContent */
export async function findRun(server: BlobServer, key: string): Promise<RemoteRun | null> {
  const list = await server.read(listPath(key), MOST_LIST);
  if (list === null) return null;
  if (list[0] === "<".charCodeAt(0))
    throw new RemoteTrouble("it answers with a web page, as if somebody had to log in");
  const what = `the action of key ${key.slice(0, 12)}`;
  const files = decodeActionResult(list);
  if (files === null) throw new WrongContent(`${what} is no ActionResult`);
  const own = files.find(({ path }) => path === ACTION_PATH);
  if (own === undefined) throw new WrongContent(`${what} is not lq's`);
  const text = await server.read(blobPath(own.digest), Math.min(own.size, MOST_ACTION));
  if (text === null) throw new WrongContent(`${what} is not whole: its JSON is not there`);
  if (sha256(text) !== own.digest) throw new WrongContent(`${what} is damaged`);
  return checkAction(key, text.toString(), files);
}

/** The content of `ac/KEY`. */
export function listOf(
  action: { readonly digest: string; readonly size: number },
  objects: readonly Omit<ListedFile, "path">[],
): Buffer {
  return encodeActionResult([
    { path: ACTION_PATH, ...action, executable: false },
    ...objects.map((object) => ({ path: OBJECT_PATH + object.digest, ...object })),
  ]);
}

export function listPath(key: string): string {
  return `ac/${key}`;
}

export function blobPath(digest: string): string {
  return `cas/${digest}`;
}
