/** Reads volumes of other formats than NIfTI. */
import { readMetaImage } from "./meta-image.ts";
import { readNrrd } from "./nrrd.ts";
import type { Volume } from "./volume.ts";

/** Reads NRRD or MetaImage, by the file's name. Throws an Error that names the file. */
export function readOtherFormat(path: string): Promise<Volume> {
  return /\.(nrrd|nhdr)$/i.test(path) ? readNrrd(path) : readMetaImage(path);
}
