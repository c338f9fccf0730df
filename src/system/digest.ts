/** sha256 as lower-case hex, of UTF-8 text or bytes. */
import { hash } from "node:crypto";

export function sha256(content: string | NodeJS.ArrayBufferView): string {
  return hash("sha256", content);
}
