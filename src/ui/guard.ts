/**
 * Decides which requests the server answers. Every process of the machine can reach the port, and every page in the
 * user's browser can send requests to it. The server answers only requests with the token.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";

export interface Refusal {
  readonly status: 400 | 403 | 405;
  readonly text: string;
}

/** A new token, one for each start of the server: 192 bits, in characters that an address allows. */
export function newToken(): string {
  return randomBytes(24).toString("base64url");
}

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** The policy for files that tasks made. They may contain anything, so no script runs and nothing else is loaded. */
const FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The headers of every answer. */
export function headers(of: "page" | "file"): OutgoingHttpHeaders {
  return {
    "Content-Security-Policy": of === "page" ? PAGE_POLICY : FILE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
  };
}

/** @returns the decoded path after the token, or the reason why the request is refused */
export function admit(
  request: IncomingMessage,
  token: string,
): { readonly path: string; readonly query: string } | Refusal {
  const { host, origin } = request.headers;
  if (host === undefined || !isLoopback(host))
    return {
      status: 403,
      text: "This page is only for browsers on this machine, or for those that come through ssh.",
    };
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, text: "Another page asked for this; only the page itself may." };
  if (request.method !== "GET" && request.method !== "HEAD")
    return { status: 405, text: "This page only shows: GET and HEAD are answered." };
  const [address = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
  const [, first = "", ...rest] = address.split("/");
  if (!isSame(first, token))
    return {
      status: 403,
      text: "Open the address that lq ui printed: its first part is the key to this page.",
    };
  const path = decoded(rest.join("/"));
  return path === null ? { status: 400, text: "This address cannot be read." } : { path, query };
}

function isLoopback(host: string): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i.test(host);
}

/** Compares in constant time, so that the time does not show how much of the token is right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}
