/** Which remote cache a project uses: what pipeline.yaml says, and the environment variables that go over it. */
import { checkRemoteUrl } from "../load/remote-url.ts";
import { UserError } from "../model/errors.ts";
import type { CacheSettings } from "../model/model.ts";

export interface RemoteSettings {
  readonly url: URL;
  /** Whether builds send what they made. */
  readonly push: boolean;
}

/** Environment variables. */
export interface Variables {
  readonly [name: string]: string | undefined;
}

/** @returns null if there is none @throws UserError if an environment variable is wrong */
export function remoteSettings(
  { remote, push }: Pick<CacheSettings, "remote" | "push">,
  env: Variables = process.env,
): RemoteSettings | null {
  const url = env["LQ_REMOTE"] ?? remote;
  if (url === null || url === "") return null;
  const checked = checkRemoteUrl(url, "LQ_REMOTE");
  if (!(checked instanceof URL)) throw new UserError(checked);
  return { url: checked, push: pushFrom(env) ?? push };
}

/** What commands say that plan without asking the remote cache; null if there is none. */
export function notAsked(cache: CacheSettings): string | null {
  const settings = remoteSettings(cache);
  if (settings === null) return null;
  return `the remote cache ${urlText(settings.url)} was not asked: a build restores what it has`;
}

/** A URL as lq shows it, without a "/" at its end. */
export function urlText({ href }: URL): string {
  return href.replace(/\/$/, "");
}

/** Undefined if LQ_REMOTE_PUSH is not set. */
function pushFrom({ LQ_REMOTE_PUSH: text = "" }: Variables): boolean | undefined {
  if (text === "") return undefined;
  if (text === "0" || text === "1") return text === "1";
  throw new UserError({ message: `LQ_REMOTE_PUSH is "${text}"`, hint: "set it to 1 or to 0" });
}
