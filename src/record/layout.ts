/** Where lq keeps its own things, relative to the project (see "On disk" in docs/architecture.md). */

export const STATE_LOG = "cache/state/log";
export const SEAL = "cache/state/seal";
export const OBJECTS = "cache/objects";
export const ACTIONS = "cache/actions";
export const STAGING = "cache/staging";
export const CODE = "cache/code";
export const LOGS = "cache/logs";
export const SCRATCH = "cache/scratch";
export const HISTORY = "cache/history";
export const LOCK = "cache/lock";
