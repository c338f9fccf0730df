/** The environment variables that lq hands down to tasks: its own, without the settings of the remote cache. */

/** LQ_REMOTE_USER, LQ_REMOTE_PASSWORD and LQ_REMOTE_TOKEN are secrets, and no task needs any of these. */
const HIDDEN = "LQ_REMOTE_";

export function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith(HIDDEN)));
}

/** One variable as tasks see it. */
export function inheritedVariable(name: string): string | undefined {
  return name.startsWith(HIDDEN) ? undefined : process.env[name];
}
