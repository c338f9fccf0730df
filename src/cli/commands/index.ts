/** The work of all commands in one file, because loading forty chunks takes longer than a small build. */
export { runAccept } from "./accept.ts";
export { runAudit } from "./audit.ts";
export { runBuild } from "./build.ts";
export { runCache } from "./cache.ts";
export { runClean } from "./clean.ts";
export { runCompletion } from "./completion.ts";
export { runDiff } from "./diff.ts";
export { runGraph } from "./graph.ts";
export { runHistory } from "./history.ts";
export { runLock } from "./lock.ts";
export { runLog } from "./log.ts";
export { runPlan } from "./plan.ts";
export { runReport } from "./report.ts";
export { runRun } from "./run.ts";
export { runStatus } from "./status.ts";
export { runTrace } from "./trace.ts";
export { runWhy } from "./why.ts";
