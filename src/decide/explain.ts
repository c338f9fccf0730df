/** Turns reasons into the lines that `status`, `why`, `build -n` and the build itself print. */
import { andMore } from "../model/cut-list.ts";
import type { Reason } from "../model/freshness.ts";
import type { Json } from "../model/model.ts";

/** How many characters of a value to show. A longer value is cut around the first difference. */
const WIDTH = 60;
/** How many characters to show before the first difference. */
const LEAD = 20;
/** How many digits of a digest to show. */
const DIGITS = 12;

export function explain(reason: Reason): string {
  switch (reason.kind) {
    case "never-built":
      return "never built";
    case "forced":
      return "forced";
    case "output-missing":
      return `output ${reason.path} missing`;
    case "output-replaced":
      return `output ${reason.path} is not from the last run`;
    case "output-edited":
      return `output ${reason.path} was edited by hand`;
    case "output-foreign":
      return `output ${reason.path} was not made by lq`;
    case "output-unreadable":
      return `output ${reason.why}`;
    case "file":
      return `file ${reason.path} ${reason.change}`;
    case "param":
      return `params ${reason.path}: ${change(reason.before, reason.after)}`;
    case "code":
      return `code ${reason.file} ${reason.change}${reason.by === undefined ? "" : ` (imported by ${reason.by})`}`;
    case "package":
      return `package ${reason.name}: ${textChange(reason)}`;
    case "command":
      return `command: ${textChange(reason)}`;
    case "env":
    case "tool":
      return `${reason.kind} ${reason.name}: ${textChange(reason)}`;
    case "declaration":
      return `declaration: ${reason.what}`;
    case "failed-before":
      return "failed before, and nothing has changed since";
  }
}

/** Like `explain`, with the digests before and after if they are known. */
export function explainInFull(reason: Reason): string {
  const text = explain(reason);
  if (reason.kind !== "file" && reason.kind !== "code") return text;
  const { before, after } = reason;
  if (before === undefined && after === undefined) return text;
  return `${text}: ${before?.slice(0, DIGITS) ?? "(none)"} → ${after?.slice(0, DIGITS) ?? "(none)"}`;
}

/**
 * Tasks with the same cause are shown as one group. Commands and output paths differ in each task, so for these the
 * rule is the cause.
 */
export function causeOf(reason: Reason, rule: string): string {
  return reason.kind === "command" || reason.kind.startsWith("output-")
    ? `${reason.kind} ${rule}`
    : explain(reason);
}

/** Like `causeOf`, for lists that must stay short: the files of a rule's tasks that changed are one cause. */
export function briefCauseOf(reason: Reason, rule: string): string {
  return reason.kind === "file" ? `file ${rule} ${reason.change}` : causeOf(reason, rule);
}

/** The reason that explains a state best, and its text there; undefined if there is none. */
export function mainReason(
  reasons: readonly Reason[],
  state: string,
): { readonly reason: Reason; readonly text: string } | undefined {
  const reason = reasons.find(({ kind }) => kind === "failed-before") ?? reasons[0];
  return reason && { reason, text: textIn(reason, state) };
}

/** `explain`, but what is in the cache was built, if not here. */
export function textIn(reason: Reason, state: string): string {
  return reason.kind === "never-built" && state.startsWith("restor")
    ? "not built here before"
    : explain(reason);
}

export interface CauseGroup<T> {
  /** The first reason of the group's first item, and how many others there are like it. */
  readonly text: string;
  readonly items: readonly T[];
}

/**
 * Groups items by cause, the largest group first.
 * @param causeOfItem null: leave the item out
 */
export function groupByCause<T>(
  items: Iterable<T>,
  causeOfItem: (item: T) => { readonly cause: string; readonly text: string } | null,
): readonly CauseGroup<T>[] {
  const groups = new Map<
    string,
    { readonly text: string; readonly texts: Set<string>; readonly items: T[] }
  >();
  for (const item of items) {
    const found = causeOfItem(item);
    if (found === null) continue;
    const group = groups.get(found.cause) ?? { text: found.text, texts: new Set<string>(), items: [] };
    groups.set(found.cause, group);
    group.items.push(item);
    if (found.text.startsWith("file ")) group.texts.add(found.text);
  }
  return [...groups.values()]
    .sort((a, b) => b.items.length - a.items.length)
    .map(({ text, texts, items }) => ({
      text: texts.size > 1 ? `${text} ${andMore(texts.size - 1, "like it")}` : text,
      items,
    }));
}

function change(before: Json | undefined, after: Json | undefined): string {
  const [was, is] = [before, after].map(plain);
  return was === is ? excerpts(JSON.stringify(before), JSON.stringify(after)) : excerpts(was, is);
}

function textChange({
  before,
  after,
}: {
  readonly before: string | null;
  readonly after: string | null;
}): string {
  return change(before ?? undefined, after ?? undefined);
}

function plain(value: Json | undefined): string {
  if (value === undefined) return "(none)";
  return (typeof value === "string" ? value : JSON.stringify(value)).replace(/\s+/g, " ").trim();
}

function excerpts(before = "(none)", after = "(none)"): string {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const isLong = Math.max(before.length, after.length) > WIDTH;
  const from = isLong && same > LEAD ? same - LEAD : 0;
  const excerpt = (text: string): string => {
    const rest = text.slice(from);
    return `${from > 0 ? "…" : ""}${rest.length > WIDTH ? `${rest.slice(0, WIDTH)}…` : rest}`;
  };
  return `${excerpt(before)} → ${excerpt(after)}`;
}
