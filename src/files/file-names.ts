/** Names of files whose bytes are no UTF-8: Node lists them with U+FFFD for these, and opens nothing by that. */
import { lstatSync } from "node:fs";
import { UserError } from "../model/errors.ts";

/**
 * @param location absolute, as listed
 * @param path the same as a user knows it
 * @throws UserError if the file cannot be reached by this name
 */
export function refuseUndecodable(location: string, path: string): void {
  if (!path.includes("\ufffd") || lstatSync(location, { throwIfNoEntry: false }) !== undefined) return;
  throw new UserError({ message: `the name of ${path} is not valid UTF-8`, hint: "rename the file" });
}
