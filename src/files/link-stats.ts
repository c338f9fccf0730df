import { lstatSync, type Stats } from "node:fs";
import { errorCode } from "../model/errors.ts";

/** What is at a path, without following a link. Undefined if nothing is there, also if a folder above it is a file. */
export function linkStats(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
