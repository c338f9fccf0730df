/**
 * Refuses names that are not valid UTF-8. Node lists them with U+FFFD in place of the bad bytes and cannot open them.
 */
import { lstatSync } from "node:fs";
import { UserError } from "../model/errors.ts";

/**
 * @param location absolute path, as listed
 * @param path the path that the user knows
 * @throws UserError if no file can be opened under this name
 */
export function refuseUndecodable(location: string, path: string): void {
  if (!path.includes("\ufffd") || lstatSync(location, { throwIfNoEntry: false }) !== undefined) return;
  throw new UserError({ message: `the name of ${path} is not valid UTF-8`, hint: "rename the file" });
}
