/**
 * Reads `cache: { folder: /data/lq, link: [hardlink, copy], remote: https://cache.example.org/lq, push: true }`: where the
 * cache is, how lq links outputs to it, and the remote cache behind it.
 */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CacheSettings, LinkKind } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { readBoolean, readMap, readText, readTexts, refuseUnknownKeys } from "./read.ts";
import { checkRemoteUrl } from "./remote-url.ts";
import { didYouMean } from "./suggest.ts";
import type { Located } from "./yaml.ts";

export const CACHE_KEYS = ["folder", "link", "remote", "push"] as const;
const LINK_KINDS: readonly LinkKind[] = ["reflink", "hardlink", "symlink", "copy"];

export function parseCache(root: string, node: Located | undefined, problems: Problems): CacheSettings {
  const map = node && readMap(node, '"cache"', problems);
  if (!map) return { folder: null, links: [], remote: null, push: false };
  refuseUnknownKeys(map, CACHE_KEYS, "cache", problems);
  const get = (key: (typeof CACHE_KEYS)[number]) => map.entries.get(key)?.value;
  const [folder, link, remote, push] = [get("folder"), get("link"), get("remote"), get("push")];
  const path = folder && readText(folder, '"folder"', problems)?.value;
  return {
    folder: path === undefined ? null : resolve(root, inHome(path)),
    links: link
      ? readTexts(link, "a kind of link", problems).flatMap((text) => readKind(text, problems))
      : [],
    remote: remote ? readRemote(remote, problems) : null,
    push: push ? readBoolean(push, '"push"', problems) : false,
  };
}

function readRemote(node: Located, problems: Problems): string | null {
  const text = readText(node, '"remote"', problems);
  const url = text && checkRemoteUrl(text.value, '"remote"');
  if (!url || url instanceof URL) return url?.href ?? null;
  problems.add(url.message, node.span, url.hint);
  return null;
}

/** A project that several people use may name a folder in the home of each. */
function inHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

function readKind(
  text: { readonly value: string; readonly span: Located["span"] },
  problems: Problems,
): LinkKind[] {
  const kind = LINK_KINDS.find((known) => known === text.value);
  if (kind !== undefined) return [kind];
  problems.add(`unknown kind of link "${text.value}"`, text.span, didYouMean(text.value, LINK_KINDS));
  return [];
}
