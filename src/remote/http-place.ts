/** A remote cache that is an HTTP server: a password or a token goes with each request. */
import { UserError } from "../model/errors.ts";
import type { Headers } from "./connection.ts";
import type { Place } from "./place.ts";
import { urlText, type Variables } from "./settings.ts";

/** @throws UserError if only a part of the credentials is set */
export function httpPlace(url: URL, env: Variables): Place {
  const name = urlText(url);
  const headers = credentials(env);
  return { name, address: (path) => new URL(`${name}/${path}`), authorise: () => headers };
}

function credentials({
  LQ_REMOTE_USER: user = "",
  LQ_REMOTE_PASSWORD: password = "",
  LQ_REMOTE_TOKEN: token = "",
}: Variables): Headers {
  if (token !== "" && user + password !== "")
    throw new UserError({
      message: "LQ_REMOTE_TOKEN is set, and LQ_REMOTE_USER or LQ_REMOTE_PASSWORD too",
      hint: "set either the token, or user and password",
    });
  if (/[^\x21-\x7e]/.test(token))
    throw new UserError("LQ_REMOTE_TOKEN has a blank or another character that no token has");
  if (token !== "") return { authorization: `Bearer ${token}` };
  if (user === "" && password === "") return {};
  if (user === "" || password === "")
    throw new UserError({
      message: `LQ_REMOTE_${user === "" ? "PASSWORD" : "USER"} is set alone`,
      hint: "set both LQ_REMOTE_USER and LQ_REMOTE_PASSWORD",
    });
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}
