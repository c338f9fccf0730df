/** Names lq's own files and folders, relative to the project (see "On disk" in docs/architecture.md). */

export const STATE_LOG = "cache/state/log";
export const SNAPSHOT = "cache/state/snapshot";
export const GRAPH_SNAPSHOT = "cache/state/graph";
/** The folder of the store, unless the project names another one. */
export const STORE = "cache";
export const STAGING = "cache/staging";
export const CODE = "cache/code";
export const LOGS = "cache/logs";
export const SCRATCH = "cache/scratch";
export const HISTORY = "cache/history";
export const EVENTS = "cache/events";
/** Jobs of a batch system (src/batch/). */
export const JOBS = "cache/jobs";
export const LOCK = "cache/lock";

// Names inside the store's folder:
export const OBJECTS = "objects";
export const ACTIONS = "actions";
export const ACCEPTED = "accepted";
export const QUARANTINE = "quarantine";
export const NEEDED = "needed";
