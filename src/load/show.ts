/** Reads `show:` of pipeline.yaml: what the page shows as results. It is part of no key. */
import type { Rule, ShowSettings } from "../model/model.ts";
import type { Problems } from "./problems.ts";
import { readMap, readTexts, refuseUnknownKeys } from "./read.ts";
import { didYouMean } from "./suggest.ts";
import type { Located } from "./yaml.ts";

export const SHOW_KEYS = ["groups", "tables", "figures"] as const;
export const SHOW_NOTHING: ShowSettings = { groups: [], tables: null, figures: null };

export function parseShow(
  node: Located | undefined,
  rules: ReadonlyMap<string, Rule>,
  problems: Problems,
): ShowSettings {
  const map = node && readMap(node, '"show"', problems);
  if (!map) return SHOW_NOTHING;
  refuseUnknownKeys(map, SHOW_KEYS, "show", problems);
  const get = (key: (typeof SHOW_KEYS)[number]) => map.entries.get(key)?.value;
  const [groups, tables, figures] = [get("groups"), get("tables"), get("figures")];
  const texts = (of: Located, what: string) => readTexts(of, what, problems).map(({ value }) => value);
  return {
    groups: groups ? parseGroups(groups, rules, problems) : [],
    tables: tables ? texts(tables, "a table") : null,
    figures: figures ? texts(figures, "a figure") : null,
  };
}

function parseGroups(
  node: Located,
  rules: ReadonlyMap<string, Rule>,
  problems: Problems,
): ShowSettings["groups"] {
  const map = readMap(node, '"groups"', problems);
  return [...(map?.entries ?? [])].map(([name, { value }]) => {
    const members = readTexts(value, "a rule of a group", problems);
    for (const { value: rule, span } of members)
      if (!rules.has(rule))
        problems.add(`group "${name}" names no rule "${rule}"`, span, didYouMean(rule, [...rules.keys()]));
    return { name, rules: members.map((member) => member.value) };
  });
}
