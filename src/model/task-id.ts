/**
 * The form of a task's id: `RULE:VALUE/VALUE…` with the values of its axes in the order of `each`, as in
 * `predict:btcv/stu-s/case_03`. The id of a task without axes is the rule's name. A rule's name has no ":".
 */

/** Stands for the values that are not known yet, in a pending expansion's id: `predict:btcv/*`. */
const OPEN = "*";

export function taskId(rule: string, values: readonly string[]): string {
  return values.length === 0 ? rule : `${rule}:${values.join("/")}`;
}

/** The id of a pending expansion. Only its first values are known. */
export function openId(rule: string, values: readonly string[]): string {
  return taskId(rule, [...values, OPEN]);
}

/** The text at the beginning of the ids of all tasks of a pending expansion. */
export function knownPart(openId: string): string {
  return openId.slice(0, -OPEN.length);
}

/** The known parts that a pending expansion which brings this task may have: "predict:", "predict:btcv/". */
export function prefixesOf(id: string): readonly string[] {
  return [...id.matchAll(/[:/]/g)].map(({ index }) => id.slice(0, index + 1));
}

/** The name of the task's rule. */
export function ruleOf(id: string): string {
  const end = id.indexOf(":");
  return end < 0 ? id : id.slice(0, end);
}

/** Whether a text has the form of a task id with values. A rule's name alone does not. */
export function hasValues(text: string): boolean {
  return text.includes(":");
}

/** The parts of an id after the rule's name. A value with "/" in it gives several. */
export function valueParts(id: string): readonly string[] {
  return hasValues(id) ? id.slice(id.indexOf(":") + 1).split("/") : [];
}
