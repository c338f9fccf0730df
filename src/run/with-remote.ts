/** The remote cache of one command: opened before the work, and told of at its end. */
import type { Pipeline } from "../model/model.ts";
import { openRemote } from "../remote/open-remote.ts";
import type { Remote } from "../remote/remote.ts";
import { openStore } from "../session/open-store.ts";

export interface RemoteUse {
  readonly pipeline: Pipeline;
  readonly warn: (text: string) => void;
  /** Receives the cause, once, when the remote is given up; by default a warning says so. */
  readonly onTrouble?: (remote: string, cause: string) => void;
  /** Called from time to time while what is left is sent, after the work. */
  readonly progress?: (left: number, rate: number) => void;
  /** Ends all requests; what is not sent stays unsent. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param work gets null if the project has no remote cache
 * @throws UserError if the settings of the remote cache are wrong, or what the work throws
 */
export async function withRemote<T>(
  { pipeline, warn, signal, progress = () => undefined, ...use }: RemoteUse,
  work: (remote: Remote | null) => Promise<T>,
): Promise<T> {
  const onTrouble =
    use.onTrouble ??
    ((name: string, cause: string) => warn(`the remote cache ${name} is not used any more: ${cause}`));
  const remote = await openRemote(pipeline.cache, openStore(pipeline, warn), { onTrouble });
  if (remote === null) return work(null);
  const close = (): void => remote.close();
  signal?.addEventListener("abort", close);
  try {
    const result = await work(remote);
    await remote.sent(progress);
    return result;
  } finally {
    signal?.removeEventListener("abort", close);
    close();
    if (remote.complaint !== null) warn(remote.complaint);
  }
}
