/** Where tasks run: on this machine, or as jobs of Slurm. */
export const EXECUTORS = ["local", "slurm"] as const;
export type Executor = (typeof EXECUTORS)[number];
