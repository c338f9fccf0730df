/** A reason in words: the line that `status`, `why`, `build -n` and the build itself print. */
import type { Json, Reason } from "../model.ts";

/** Longer values are cut in the middle. */
const WIDTH = 60;
/** Of a digest. */
const DIGITS = 12;

export function explain(reason: Reason): string {
  switch (reason.kind) {
    case "never-built":
      return "never built";
    case "forced":
      return "forced";
    case "output-missing":
      return `output ${reason.path} missing`;
    case "output-edited":
      return `output ${reason.path} edited by hand`;
    case "file":
      return `file ${reason.path} ${reason.change}`;
    case "param":
      return `params ${reason.path}: ${value(reason.before)} → ${value(reason.after)}`;
    case "code":
      return `code ${reason.file} ${reason.change}`;
    case "package":
      return `package ${reason.name}: ${text(reason.before)} → ${text(reason.after)}`;
    case "command":
      return `command: ${text(reason.before)} → ${text(reason.after)}`;
    case "env":
    case "tool":
      return `${reason.kind} ${reason.name}: ${text(reason.before)} → ${text(reason.after)}`;
    case "declaration":
      return `declaration: ${reason.what}`;
    case "failed-before":
      return "failed before, with nothing changed since";
  }
}

/** The same with the digests before and after, as far as they are known. */
export function explainInFull(reason: Reason): string {
  const told = explain(reason);
  if (reason.kind !== "file" && reason.kind !== "code") return told;
  const { before, after } = reason;
  if (before === undefined && after === undefined) return told;
  return `${told}: ${before?.slice(0, DIGITS) ?? "(none)"} → ${after?.slice(0, DIGITS) ?? "(none)"}`;
}

/** What tasks must share to be told of together: the words, but for what differs from task to task of a rule. */
export function causeOf(reason: Reason, rule: string): string {
  return reason.kind === "command" || reason.kind === "output-missing" || reason.kind === "output-edited"
    ? `${reason.kind} ${rule}`
    : explain(reason);
}

function value(json: Json | undefined): string {
  return json === undefined ? "(none)" : cut(typeof json === "string" ? json : JSON.stringify(json));
}

function text(content: string | null): string {
  return content === null ? "(none)" : cut(content);
}

function cut(content: string): string {
  const line = content.replace(/\s+/g, " ").trim();
  if (line.length <= WIDTH) return line;
  return `${line.slice(0, WIDTH / 2)}…${line.slice(-WIDTH / 2)}`;
}
