/** The ways in which work with a remote cache can fail. */

/** The remote cannot be used: it is not asked again in this build. The message is the cause, in words. */
export class RemoteTrouble extends Error {}

/** The remote gave something that is not right; it counts as absent. The message says what. */
export class WrongContent extends Error {}

/** An object of the local store is gone, or cannot be read, or is damaged: it is not sent. */
export class NotHere extends Error {}

const CAUSES = new Map<string | undefined, string>([
  ["ECONNREFUSED", "the connection was refused"],
  ["ENOTFOUND", "there is no such host"],
  ["EAI_AGAIN", "the host's name cannot be looked up"],
  ["ECONNRESET", "the connection was cut off"],
  ["EPIPE", "the connection was cut off"],
  ["EHOSTUNREACH", "the host cannot be reached"],
  ["ENETUNREACH", "the network cannot be reached"],
  ["ETIMEDOUT", "it does not answer"],
]);

/** A network error as trouble; other errors as they are. */
export function troubleOf(error: unknown): RemoteTrouble | NotHere {
  if (error instanceof RemoteTrouble || error instanceof NotHere) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new RemoteTrouble(CAUSES.get(code) ?? (message || code || "it cannot be reached"));
}

/** What an HTTP status other than success and "not found" means. */
export function statusTrouble(status: number): RemoteTrouble {
  const meaning =
    status === 401 || status === 403
      ? "it refuses access"
      : status === 507
        ? "it is full"
        : status >= 500
          ? "it has an error of its own"
          : "it gives an unexpected answer";
  return new RemoteTrouble(`${meaning} (HTTP status ${status})`);
}
