/** Names the log of a task's last attempt, and the metrics beside it. */
import { createHash } from "node:crypto";
import type { Task } from "../model/model.ts";
import { LOGS } from "../model/layout.ts";

const LONGEST_NAME = 200;

/** `cache/logs/predict/btcv,stu-s,case_03.log`, relative to the project; without axes, the name of the rule. */
export function logPath(task: Pick<Task, "id" | "rule" | "bindings">): string {
  const rule = encodeURIComponent(task.rule.name);
  const name = task.bindings.map(({ text }) => encodeURIComponent(text)).join(",") || rule;
  const short =
    name.length <= LONGEST_NAME
      ? name
      : `${name.slice(0, LONGEST_NAME)}-${createHash("sha256").update(task.id).digest("hex").slice(0, 16)}`;
  return `${LOGS}/${rule}/${short}.log`;
}

/** The path of the metrics that the task reports for its steps. It lies beside the log. */
export function metricsPath(log: string): string {
  return log.replace(/\.log$/, ".metrics.jsonl");
}
