/**
 * A remote cache in a bucket of S3, or of a server with S3's interface: path style, requests signed with AWS's
 * signature version 4. Settings and keys are those of the AWS tools.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AwsV4Signer } from "aws4fetch";
import { UserError } from "../model/errors.ts";
import type { Authorise } from "./connection.ts";
import type { Place } from "./place.ts";
import { urlText, type Variables } from "./settings.ts";

interface S3Settings {
  readonly endpoint: string;
  readonly region: string;
  /** Null: requests are not signed, as for a bucket that all may read. */
  readonly keys: {
    readonly id: string;
    readonly secret: string;
    readonly session: string | undefined;
  } | null;
}

/** sha256 of nothing, the body of a request that only reads. */
const NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * @param url `s3://BUCKET/PREFIX`
 * @throws UserError if AWS_ENDPOINT_URL is no URL
 */
export function s3Place(url: URL, env: Variables): Place {
  const { endpoint, region, keys } = s3Settings(env);
  const base = `${endpoint}/${url.host}${url.pathname.replace(/\/$/, "")}`;
  const derived = new Map<string, ArrayBuffer>();
  const authorise: Authorise = async (to, { method, body }) => {
    const headers = { "x-amz-content-sha256": body?.sha256 ?? NOTHING };
    if (keys === null) return headers;
    const { id: accessKeyId, secret: secretAccessKey, session } = keys;
    const signer = new AwsV4Signer({
      ...{ method, url: to.href, headers, accessKeyId, secretAccessKey },
      ...{ service: "s3", region, cache: derived },
      ...(session !== undefined && { sessionToken: session }),
    });
    return Object.fromEntries((await signer.sign()).headers);
  };
  return { name: urlText(url), address: (path) => new URL(`${base}/${path}`), authorise };
}

function s3Settings(env: Variables): S3Settings {
  const given = (name: string) => env[name] || undefined;
  const profile = readProfile(given("AWS_PROFILE") ?? "default");
  const region = given("AWS_REGION") ?? given("AWS_DEFAULT_REGION") ?? profile.get("region") ?? "us-east-1";
  const endpoint =
    given("AWS_ENDPOINT_URL") ?? profile.get("endpoint_url") ?? `https://s3.${region}.amazonaws.com`;
  if (!isEndpoint(endpoint))
    throw new UserError({
      message:
        "AWS_ENDPOINT_URL must be a URL that begins with http:// or https://, with host and port alone",
      hint: "as in http://ceph.example.org:8080",
    });
  const fromEnv = given("AWS_ACCESS_KEY_ID") !== undefined;
  const get = (name: string) => (fromEnv ? given(name.toUpperCase()) : profile.get(name));
  const [id, secret] = [get("aws_access_key_id"), get("aws_secret_access_key")];
  const keys =
    id === undefined || secret === undefined ? null : { id, secret, session: get("aws_session_token") };
  return { endpoint: endpoint.replace(/\/$/, ""), region, keys };
}

function isEndpoint(text: string): boolean {
  try {
    const { protocol, username, password, pathname, search } = new URL(text);
    return ["http:", "https:"].includes(protocol) && username + password + search === "" && pathname === "/";
  } catch {
    return false;
  }
}

/** The settings of a profile in ~/.aws/config and ~/.aws/credentials; the second file goes over the first. */
function readProfile(name: string): ReadonlyMap<string, string> {
  const config = readSection("config", name === "default" ? name : `profile ${name}`);
  return new Map([...config, ...readSection("credentials", name)]);
}

function readSection(file: string, section: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let isInside = false;
  for (const line of linesOf(file)) {
    const heading = /^\s*\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) isInside = heading === section;
    // Indented lines belong to nested settings, which lq does not use.
    const [, key = "", value = ""] = /^(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (isInside && key !== "") settings.set(key, value);
  }
  return settings;
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(join(homedir(), ".aws", file), "utf8").split("\n");
  } catch {
    return [];
  }
}
