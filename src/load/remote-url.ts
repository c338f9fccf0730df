/** The URL of a remote cache, as pipeline.yaml or LQ_REMOTE gives it. */

/** What is wrong with a URL. The text never repeats the URL, which may have a password in it. */
export interface UrlProblem {
  readonly message: string;
  readonly hint: string;
}

const SCHEMES = ["http:", "https:", "s3:"];

/** @param name where the URL stands, as in `"remote"` */
export function checkRemoteUrl(text: string, name: string): URL | UrlProblem {
  const url = parse(text);
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === "")
    return {
      message: `${name} must be a URL that begins with http://, https:// or s3://`,
      hint: "as in https://cache.example.org/lq, or s3://BUCKET/PREFIX",
    };
  if (url.username !== "" || url.password !== "")
    return {
      message: `${name} has a user name or a password in its URL`,
      hint: "take them out, and give them by LQ_REMOTE_USER and LQ_REMOTE_PASSWORD, or by LQ_REMOTE_TOKEN",
    };
  if (url.search !== "" || url.hash !== "")
    return {
      message: `${name} has a "?" or a "#" in its URL`,
      hint: "only host, port and a prefix may be in it",
    };
  return url;
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
