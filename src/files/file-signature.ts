/** Takes the signatures of files, and refuses anything that is not a file. */
import { statSync, type Stats } from "node:fs";
import { errorCode, UserError } from "../model/errors.ts";
import { signatureOf, type Signature } from "./signature.ts";
import { absolute } from "../model/paths.ts";

/** The present signature of a file; null if there is none. @throws UserError if it is not a file */
export function signatureAt(root: string, path: string): Signature | null {
  try {
    const stats = statSync(absolute(root, path), { throwIfNoEntry: false });
    return stats === undefined ? null : fileSignature(stats, path);
  } catch (error) {
    // A folder of the path is a file: there is nothing at the path.
    if (errorCode(error) === "ENOTDIR") return null;
    throw readable(error, path);
  }
}

/** @throws UserError if it is not a file */
export function fileSignature(stats: Stats, path: string): Signature {
  if (stats.isDirectory())
    throw new UserError({
      message: `${path} is a directory where a file is expected`,
      hint: `write it with a trailing "/" if the directory is meant`,
    });
  if (!stats.isFile())
    throw new UserError(`${path} is neither a file nor a directory, and cannot be read as one`);
  return signatureOf(stats);
}

/** Turns the system's error for a file that cannot be read into a UserError; gives other errors back unchanged. */
export function readable(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === "ELOOP")
    return new UserError(`${path} cannot be read: it is a loop of symbolic links`, { cause: error });
  if (code === "EACCES" || code === "EPERM")
    return new UserError(
      {
        message: `${path} cannot be read: permission denied`,
        hint: "check the permissions of the file and of the folders above it",
      },
      { cause: error },
    );
  if (code === "EIO")
    return new UserError(`${path} cannot be read: the disk reports an error`, { cause: error });
  if (code === "ENAMETOOLONG") return new UserError(`${path} cannot be read: the name is too long`);
  return error;
}
