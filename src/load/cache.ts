/** Reads `cache: { folder: /data/lq, link: [hardlink, copy] }`: where the cache is, and how lq links outputs to it. */
import { resolve } from "node:path";
import type { CacheSettings, LinkKind } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { readMap, readText, readTexts, refuseUnknownKeys } from "./read.ts";
import { didYouMean } from "./suggest.ts";
import type { Located } from "./yaml.ts";

export const CACHE_KEYS = ["folder", "link"] as const;
const LINK_KINDS: readonly LinkKind[] = ["reflink", "hardlink", "symlink", "copy"];

export function parseCache(root: string, node: Located | undefined, problems: Problems): CacheSettings {
  const map = node && readMap(node, '"cache"', problems);
  if (!map) return { folder: null, links: [] };
  refuseUnknownKeys(map, CACHE_KEYS, "cache", problems);
  const get = (key: (typeof CACHE_KEYS)[number]) => map.entries.get(key)?.value;
  const [folder, link] = [get("folder"), get("link")];
  const path = folder && readText(folder, '"folder"', problems)?.value;
  return {
    folder: path === undefined ? null : resolve(root, path),
    links: link
      ? readTexts(link, "a kind of link", problems).flatMap((text) => readKind(text, problems))
      : [],
  };
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
